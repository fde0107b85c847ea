/*
 * Load generator for small requests: many connections, little work per request, so that the broker and
 * not the client is measured. One thread, epoll, no allocation after the start.
 *
 *   load produce HOST PORT TOPIC PARTITIONS CONNECTIONS IN_FLIGHT RECORD_BYTES SECONDS ACKS
 *   load tail    HOST PORT TOPIC PARTITIONS CONNECTIONS WAIT_MS SECONDS
 *
 * `produce` keeps IN_FLIGHT Produce requests (v9, one batch of one record) open on every connection;
 * `tail` keeps one Fetch (v12) open that asks for what comes after the end of an empty partition.
 * Prints one JSON object: requests, seconds, errors and the latency in microseconds.
 * Source of the layouts: Kafka protocol guide.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define INPUT_BYTES 65536
#define MAX_IN_FLIGHT 64
#define EVENT_COUNT 256
/* Latencies are kept in buckets of one microsecond up to a second; what is slower counts as one. */
#define BUCKET_COUNT 1000000
#define CORRELATION_ID 7
#define CLIENT_ID "load"

struct bytes {
  uint8_t *data;
  size_t size;
};

struct connection {
  int socket;
  struct bytes request;
  int queued;      /* requests to send, the first of them perhaps in part */
  size_t written;  /* bytes of the first queued request that are sent */
  int is_writable;
  uint8_t input[INPUT_BYTES];
  size_t input_size;
  double sent_at[MAX_IN_FLIGHT];
  unsigned first_sent, next_sent;
};

static uint32_t crc_table[256];
static uint64_t buckets[BUCKET_COUNT + 1];

static void fail(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* ---- writing messages ---- */

static void put_int(struct bytes *to, uint64_t value, int size) {
  for (int shift = (size - 1) * 8; shift >= 0; shift -= 8) to->data[to->size++] = value >> shift;
}

static void put_varint(struct bytes *to, uint32_t value) {
  for (; value > 127; value >>= 7) to->data[to->size++] = value | 128;
  to->data[to->size++] = value;
}

static void put_signed_varint(struct bytes *to, int32_t value) {
  put_varint(to, ((uint32_t)value << 1) ^ (uint32_t)(value >> 31));
}

static void put_bytes(struct bytes *to, const void *from, size_t size) {
  memcpy(to->data + to->size, from, size);
  to->size += size;
}

/* The length of compact strings, bytes and arrays is stored plus one. */
static void put_string(struct bytes *to, const char *text) {
  put_varint(to, strlen(text) + 1);
  put_bytes(to, text, strlen(text));
}

static struct bytes new_bytes(size_t capacity) {
  struct bytes made = {malloc(capacity), 0};
  if (made.data == NULL) fail("out of memory");
  return made;
}

static void make_crc_table(void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; bit++) value = value & 1 ? (value >> 1) ^ 0x82f63b78 : value >> 1;
    crc_table[i] = value;
  }
}

static uint32_t crc32c(const uint8_t *data, size_t size) {
  uint32_t crc = ~0u;
  while (size-- > 0) crc = crc_table[(crc ^ *data++) & 255] ^ (crc >> 8);
  return ~crc;
}

/* A batch v2 with one record without a key. */
static struct bytes make_batch(int record_bytes) {
  struct bytes record = new_bytes(record_bytes + 32), batch = new_bytes(record_bytes + 128);
  put_int(&record, 0, 1);            /* attributes */
  put_signed_varint(&record, 0);     /* timestamp delta */
  put_signed_varint(&record, 0);     /* offset delta */
  put_signed_varint(&record, -1);    /* no key */
  put_signed_varint(&record, record_bytes);
  for (int i = 0; i < record_bytes; i++) put_int(&record, 'a' + i % 26, 1);
  put_signed_varint(&record, 0);     /* headers */

  uint64_t timestamp = (uint64_t)time(NULL) * 1000;
  put_int(&batch, 0, 8);             /* base offset */
  put_int(&batch, 0, 4);             /* length, set below */
  put_int(&batch, -1, 4);            /* partition leader epoch */
  put_int(&batch, 2, 1);             /* magic */
  put_int(&batch, 0, 4);             /* CRC, set below */
  put_int(&batch, 0, 2);             /* attributes */
  put_int(&batch, 0, 4);             /* last offset delta */
  put_int(&batch, timestamp, 8);     /* base timestamp */
  put_int(&batch, timestamp, 8);     /* max timestamp */
  put_int(&batch, -1, 8);            /* producer id */
  put_int(&batch, -1, 2);            /* producer epoch */
  put_int(&batch, -1, 4);            /* base sequence */
  put_int(&batch, 1, 4);             /* records */
  put_signed_varint(&batch, record.size);
  put_bytes(&batch, record.data, record.size);
  free(record.data);

  size_t size = batch.size;
  batch.size = 8;
  put_int(&batch, size - 12, 4);
  batch.size = 17;
  put_int(&batch, crc32c(batch.data + 21, size - 21), 4);
  batch.size = size;
  return batch;
}

static struct bytes begin_request(int key, int version, size_t capacity) {
  struct bytes request = new_bytes(capacity + 512);
  put_int(&request, 0, 4); /* size, set by end_request */
  put_int(&request, key, 2);
  put_int(&request, version, 2);
  put_int(&request, CORRELATION_ID, 4);
  put_int(&request, strlen(CLIENT_ID), 2);
  put_bytes(&request, CLIENT_ID, strlen(CLIENT_ID));
  put_int(&request, 0, 1); /* no tagged fields */
  return request;
}

static void end_request(struct bytes *request) {
  size_t size = request->size;
  request->size = 0;
  put_int(request, size - 4, 4);
  request->size = size;
}

static struct bytes make_produce(const char *topic, int partition, int record_bytes, int acks) {
  struct bytes batch = make_batch(record_bytes);
  struct bytes request = begin_request(0, 9, batch.size + strlen(topic));
  put_int(&request, 0, 1);     /* no transactional id */
  put_int(&request, acks, 2);
  put_int(&request, 30000, 4); /* timeout ms */
  put_varint(&request, 2);     /* one topic */
  put_string(&request, topic);
  put_varint(&request, 2);     /* one partition */
  put_int(&request, partition, 4);
  put_varint(&request, batch.size + 1);
  put_bytes(&request, batch.data, batch.size);
  put_bytes(&request, "\0\0\0", 3); /* tagged fields of partition, topic, request */
  end_request(&request);
  free(batch.data);
  return request;
}

static struct bytes make_fetch(const char *topic, int partition, int wait_ms) {
  struct bytes request = begin_request(1, 12, strlen(topic));
  put_int(&request, -1, 4);       /* replica id: a consumer */
  put_int(&request, wait_ms, 4);
  put_int(&request, 1, 4);        /* min bytes */
  put_int(&request, 50 << 20, 4); /* max bytes */
  put_int(&request, 0, 1);        /* read uncommitted */
  put_int(&request, 0, 4);        /* no session */
  put_int(&request, -1, 4);
  put_varint(&request, 2);        /* one topic */
  put_string(&request, topic);
  put_varint(&request, 2);        /* one partition */
  put_int(&request, partition, 4);
  put_int(&request, -1, 4);       /* current leader epoch: any */
  put_int(&request, 0, 8);        /* fetch offset */
  put_int(&request, -1, 4);       /* last fetched epoch */
  put_int(&request, -1, 8);       /* log start offset */
  put_int(&request, 1 << 20, 4);  /* partition max bytes */
  put_bytes(&request, "\0\0", 2); /* tagged fields of partition, topic */
  put_varint(&request, 1);        /* no forgotten topics */
  put_string(&request, "");       /* rack */
  put_int(&request, 0, 1);        /* tagged fields */
  end_request(&request);
  return request;
}

/* ---- connections ---- */

static void open_connection(struct connection *to, const char *host, int port, int epoll) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1) fail("HOST is not an IPv4 address");
  to->socket = socket(AF_INET, SOCK_STREAM, 0);
  if (to->socket < 0) fail("socket");
  if (connect(to->socket, (void *)&address, sizeof address) != 0) fail("connect");
  int on = 1;
  setsockopt(to->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(to->socket, F_SETFL, O_NONBLOCK);
  /* Edge-triggered: each event is followed by reads and writes until the kernel has no more. */
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = to};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, to->socket, &event) != 0) fail("epoll_ctl");
  to->is_writable = 1;
}

static void send_queued(struct connection *from) {
  while (from->queued > 0 && from->is_writable) {
    if (from->written == 0) from->sent_at[from->next_sent++ % MAX_IN_FLIGHT] = now();
    ssize_t size = write(from->socket, from->request.data + from->written,
                         from->request.size - from->written);
    if (size < 0) {
      if (errno != EAGAIN) fail("write");
      if (from->written == 0) from->next_sent--;
      from->is_writable = 0;
      return;
    }
    from->written += size;
    if (from->written < from->request.size) continue;
    from->written = 0;
    from->queued--;
  }
}

/* Reads until the kernel has no more; calls `take` for every whole answer. */
static void receive(struct connection *from, void (*take)(const uint8_t *answer, size_t size)) {
  for (;;) {
    ssize_t size = read(from->socket, from->input + from->input_size, INPUT_BYTES - from->input_size);
    if (size < 0 && errno == EAGAIN) return;
    if (size == 0) errno = ECONNRESET;
    if (size <= 0) fail("read");
    from->input_size += size;
    double time = now();
    size_t position = 0;
    while (from->input_size - position >= 4) {
      const uint8_t *frame = from->input + position;
      size_t frame_size = (size_t)frame[0] << 24 | frame[1] << 16 | frame[2] << 8 | frame[3];
      if (frame_size + 4 > INPUT_BYTES) fail("an answer is too large");
      if (from->input_size - position < frame_size + 4) break;
      take(frame + 4, frame_size);
      double latency_us = (time - from->sent_at[from->first_sent++ % MAX_IN_FLIGHT]) * 1e6;
      buckets[latency_us < BUCKET_COUNT ? (long)latency_us : BUCKET_COUNT]++;
      from->queued++;
      position += frame_size + 4;
    }
    memmove(from->input, from->input + position, from->input_size - position);
    from->input_size -= position;
  }
}

static long answer_count, error_count;
static size_t topic_bytes;

/* Correlation id, tags, one topic, its name, one partition, its index, then the error code. */
static void take_produce_answer(const uint8_t *answer, size_t size) {
  size_t position = 4 + 1 + 1 + 1 + topic_bytes + 1 + 4;
  answer_count++;
  if (size < position + 2 || answer[position] != 0 || answer[position + 1] != 0) error_count++;
}

/* Correlation id, tags, throttle time, then the error code of the whole answer. */
static void take_fetch_answer(const uint8_t *answer, size_t size) {
  answer_count++;
  if (size < 11 || answer[9] != 0 || answer[10] != 0) error_count++;
}

static long percentile(double fraction) {
  uint64_t below = 0, wanted = (uint64_t)((double)answer_count * fraction);
  for (long bucket = 0; bucket <= BUCKET_COUNT; bucket++) {
    below += buckets[bucket];
    if (below > wanted) return bucket;
  }
  return BUCKET_COUNT;
}

int main(int argc, char **argv) {
  int is_produce = argc == 11 && strcmp(argv[1], "produce") == 0;
  int is_tail = argc == 9 && strcmp(argv[1], "tail") == 0;
  if (!is_produce && !is_tail) {
    fprintf(stderr, "load produce HOST PORT TOPIC PARTITIONS CONNECTIONS IN_FLIGHT RECORD_BYTES SECONDS ACKS\n"
                    "load tail HOST PORT TOPIC PARTITIONS CONNECTIONS WAIT_MS SECONDS\n");
    return 2;
  }
  const char *host = argv[2], *topic = argv[4];
  int port = atoi(argv[3]), partition_count = atoi(argv[5]), connection_count = atoi(argv[6]);
  int in_flight = is_produce ? atoi(argv[7]) : 1;
  double seconds = atof(is_produce ? argv[9] : argv[8]);
  if (in_flight < 1 || in_flight > MAX_IN_FLIGHT || connection_count < 1 || partition_count < 1) {
    fprintf(stderr, "load: a number is out of range\n");
    return 2;
  }
  topic_bytes = strlen(topic);
  make_crc_table();
  int epoll = epoll_create1(0);
  struct connection *connections = calloc(connection_count, sizeof *connections);
  if (epoll < 0 || connections == NULL) fail("start");
  for (int i = 0; i < connection_count; i++) {
    struct connection *one = &connections[i];
    int partition = i % partition_count;
    one->request = is_produce ? make_produce(topic, partition, atoi(argv[8]), atoi(argv[10]))
                              : make_fetch(topic, partition, atoi(argv[7]));
    one->queued = in_flight;
    open_connection(one, host, port, epoll);
  }
  double start = now(), end = start + seconds;
  for (int i = 0; i < connection_count; i++) send_queued(&connections[i]);
  struct epoll_event events[EVENT_COUNT];
  while (now() < end) {
    int count = epoll_wait(epoll, events, EVENT_COUNT, 100);
    if (count < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < count; i++) {
      struct connection *one = events[i].data.ptr;
      if (events[i].events & EPOLLOUT) one->is_writable = 1;
      if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        receive(one, is_produce ? take_produce_answer : take_fetch_answer);
      }
      send_queued(one);
    }
  }
  printf("{\"requests\":%ld,\"seconds\":%.3f,\"errors\":%ld,\"p50Us\":%ld,\"p99Us\":%ld}\n",
         answer_count, now() - start, error_count, percentile(0.5), percentile(0.99));
  return 0;
}

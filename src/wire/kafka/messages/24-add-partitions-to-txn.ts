import {
  api,
  array,
  bool,
  type Decoded,
  type Encodable,
  int16,
  int32,
  int64,
  string,
  struct,
} from '../../../schema/schema.ts'

const addPartitionsToTxnTopic = struct({
  name: string,
  partitions: array(int32),
})

const addPartitionsToTxnTransaction = struct({
  transactionalId: string,
  producerId: int64,
  producerEpoch: int16,
  verifyOnly: bool.default(false),
  topics: array(addPartitionsToTxnTopic),
})

const addPartitionsToTxnPartitionResult = struct({
  partitionIndex: int32,
  partitionErrorCode: int16,
})

const addPartitionsToTxnTopicResult = struct({
  name: string,
  resultsByPartition: array(addPartitionsToTxnPartitionResult),
})

const addPartitionsToTxnResult = struct({
  transactionalId: string,
  topicResults: array(addPartitionsToTxnTopicResult),
})

export const addPartitionsToTxnApi = api({
  key: 24,
  name: 'AddPartitionsToTxn',
  versions: [0, 5],
  flexibleSince: 3,
  request: {
    transactions: array(addPartitionsToTxnTransaction).since(4),
    v3AndBelowTransactionalId: string.until(3),
    v3AndBelowProducerId: int64.until(3),
    v3AndBelowProducerEpoch: int16.until(3),
    v3AndBelowTopics: array(addPartitionsToTxnTopic).until(3),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16.since(4).ignorable(),
    resultsByTransaction: array(addPartitionsToTxnResult).since(4),
    resultsByTopicV3AndBelow: array(addPartitionsToTxnTopicResult).until(3),
  },
})

export interface AddPartitionsToTxnRequest extends Decoded<typeof addPartitionsToTxnApi.request> {}
export interface AddPartitionsToTxnResponse
  extends Encodable<typeof addPartitionsToTxnApi.response> {}

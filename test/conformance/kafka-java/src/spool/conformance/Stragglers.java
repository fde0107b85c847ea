package spool.conformance;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.admin.ShareGroupDescription;
import org.apache.kafka.clients.admin.ShareMemberDescription;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.message.LeaveGroupRequestData.MemberIdentity;
import org.apache.kafka.common.message.ShareGroupHeartbeatRequestData;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.ConsumerGroupHeartbeatRequest;
import org.apache.kafka.common.requests.LeaveGroupRequest;
import org.apache.kafka.common.requests.ShareGroupHeartbeatRequest;
import org.apache.kafka.server.IntegrationTestUtils;

/**
 * Members that an earlier test left behind. In Kafka's own runs they end with the broker of that test; here
 * they would keep its groups alive for the next one.
 */
final class Stragglers {
    private static final long CALL_SECONDS = 20;

    private Stragglers() { }

    /** Lets every member of the group leave. Groups that are not of consumers keep theirs. */
    static void remove(Admin admin, String groupId, int port) throws Exception {
        ConsumerGroupDescription group;
        try {
            group = admin.describeConsumerGroups(List.of(groupId)).all().get(CALL_SECONDS, TimeUnit.SECONDS).get(groupId);
        } catch (ExecutionException e) {
            return;
        }
        for (MemberDescription member : group.members()) {
            send(port, new LeaveGroupRequest.Builder(groupId,
                List.of(new MemberIdentity().setMemberId(member.consumerId()))));
            send(port, new ConsumerGroupHeartbeatRequest.Builder(new ConsumerGroupHeartbeatRequestData()
                .setGroupId(groupId)
                .setMemberId(member.consumerId())
                .setInstanceId(member.groupInstanceId().orElse(null))
                .setMemberEpoch(ConsumerGroupHeartbeatRequest.LEAVE_GROUP_MEMBER_EPOCH)));
        }
    }

    /** Likewise for a share group. */
    static void removeShareMembers(Admin admin, String groupId, int port) throws Exception {
        ShareGroupDescription group;
        try {
            group = admin.describeShareGroups(List.of(groupId)).all().get(CALL_SECONDS, TimeUnit.SECONDS).get(groupId);
        } catch (ExecutionException e) {
            return;
        }
        for (ShareMemberDescription member : group.members()) {
            send(port, new ShareGroupHeartbeatRequest.Builder(new ShareGroupHeartbeatRequestData()
                .setGroupId(groupId)
                .setMemberId(member.consumerId())
                .setMemberEpoch(ShareGroupHeartbeatRequest.LEAVE_GROUP_MEMBER_EPOCH)));
        }
    }

    private static void send(int port, AbstractRequest.Builder<?> request) throws IOException {
        IntegrationTestUtils.connectAndReceive(request.build(), port);
    }
}

package org.apache.kafka.common.test.junit;

import java.util.List;
import java.util.Map;

import org.apache.kafka.common.test.api.ClusterConfig;
import org.apache.kafka.common.test.api.Type;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.Extension;
import org.junit.jupiter.api.extension.TestTemplateInvocationContext;
import org.opentest4j.TestAbortedException;

import spool.conformance.ForeignCluster;

/**
 * Stands on the class path before the class of this name in Kafka's test library. Where that one starts a
 * cluster inside the JVM, this one hands the test the broker named by -Dspool.bootstrap, emptied first.
 * Tests that need a special broker are aborted, which the runner counts as skipped.
 */
public final class RaftClusterInvocationContext implements TestTemplateInvocationContext {
    /** Broker settings that name a class to load into the broker. */
    private static final String PLUG_IN = ".*(authorizer|policy\\.class|callback|metric\\.reporters|principal|remote\\.log).*";

    private final ClusterConfig config;
    private final boolean isCombined;

    public RaftClusterInvocationContext(String baseDisplayName, ClusterConfig config, boolean isCombined) {
        this.config = config;
        this.isCombined = isCombined;
    }

    @Override
    public String getDisplayName(int index) {
        return "run " + index + " " + config.serverProperties();
    }

    @Override
    public List<Extension> getAdditionalExtensions() {
        ForeignCluster cluster = new ForeignCluster(config);
        BeforeEachCallback before = context -> {
            refuseWhatOnlyKafkaCanRun();
            cluster.empty();
        };
        AfterEachCallback after = context -> cluster.close();
        return List.of(before, after, new ClusterInstanceParameterResolver(cluster));
    }

    private void refuseWhatOnlyKafkaCanRun() {
        if (isCombined && config.clusterTypes().contains(Type.KRAFT))
            throw new TestAbortedException("the same test runs once already");
        if (!config.brokerSecurityProtocol().name.equals("PLAINTEXT"))
            throw new TestAbortedException("needs a listener with " + config.brokerSecurityProtocol());
        for (Map.Entry<String, String> property : config.serverProperties().entrySet())
            if (property.getKey().matches(PLUG_IN))
                throw new TestAbortedException("needs a broker plug-in: " + property.getKey());
    }
}

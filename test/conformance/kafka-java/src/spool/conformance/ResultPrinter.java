package spool.conformance;

import java.util.HashMap;
import java.util.Map;

import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestTag;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;

/**
 * Prints each result the moment it is known, as "@result" and a JSON object on one line: a class that is
 * stopped at its time limit keeps the results of the tests that did end.
 */
public final class ResultPrinter implements TestExecutionListener {
    /** Kafka's own mark for tests that do not always pass on Kafka. */
    private static final TestTag FLAKY = TestTag.create("flaky");

    private final Map<String, Long> startedAtMs = new HashMap<>();

    @Override
    public synchronized void executionStarted(TestIdentifier test) {
        startedAtMs.put(test.getUniqueId(), System.currentTimeMillis());
        if (test.isTest()) print("@start", test, "running", "");
    }

    @Override
    public synchronized void executionSkipped(TestIdentifier test, String reason) {
        print("@result", test, "skip", reason);
    }

    @Override
    public synchronized void executionFinished(TestIdentifier test, TestExecutionResult result) {
        boolean isGood = result.getStatus() == TestExecutionResult.Status.SUCCESSFUL;
        if (!test.isTest() && isGood) return;
        boolean isAborted = result.getStatus() == TestExecutionResult.Status.ABORTED;
        Throwable failure = result.getThrowable().orElse(null);
        if (failure != null && !isAborted) failure.printStackTrace(System.out);
        print("@result", test, isGood ? "pass" : isAborted ? "skip" : "fail", describe(failure));
    }

    private static String describe(Throwable failure) {
        if (failure == null) return "";
        Throwable root = failure;
        while (root.getCause() != null && root.getCause() != root) root = root.getCause();
        return root == failure ? failure.toString() : failure + ", caused by " + root;
    }

    private void print(String tag, TestIdentifier test, String status, String reason) {
        String name = test.getSource()
            .filter(source -> source instanceof MethodSource)
            .map(source -> ((MethodSource) source).getMethodName())
            .orElse(test.getDisplayName());
        long now = System.currentTimeMillis();
        long took = now - startedAtMs.getOrDefault(test.getUniqueId(), now);
        System.out.println("\n" + tag + " {\"name\":" + quote(name) + ",\"display\":" + quote(test.getDisplayName())
            + ",\"status\":" + quote(status) + ",\"isFlaky\":" + test.getTags().contains(FLAKY)
            + ",\"tookMs\":" + took + ",\"reason\":" + quote(reason) + "}");
        System.out.flush();
    }

    private static String quote(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : String.valueOf(text).toCharArray()) {
            if (c == '"' || c == '\\') out.append('\\').append(c);
            else if (c < ' ' || c > '~') out.append(String.format("\\u%04x", (int) c));
            else out.append(c);
        }
        return out.append('"').toString();
    }
}

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A configuration with listeners, and what is done with them. */
interface Scenario {
    long LIMIT_SECONDS = 60;

    void run() throws Exception;

    static void print(String name, Object value) {
        System.out.println(name + "\t" + value);
    }

    static void await(CountDownLatch latch, String what) throws InterruptedException {
        if (!latch.await(LIMIT_SECONDS, TimeUnit.SECONDS))
            throw new IllegalStateException(what + ": " + latch.getCount() + " are missing");
    }
}

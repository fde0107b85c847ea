package org.apache.kafka.common.test.api;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

import org.junit.jupiter.api.Tag;

/**
 * Kafka's mark for tests that do not always pass on Kafka, with the number of its issue. The class of this
 * name is in none of the published jars, and the JVM leaves out annotations that it cannot find.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@Tag("flaky")
public @interface Flaky {
    String value();

    String comment() default "";
}

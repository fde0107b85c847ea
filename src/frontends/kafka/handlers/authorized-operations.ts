/** "Not asked for": the field is left at its default. */
export const NO_OPERATIONS = -2_147_483_648

/** Every operation a topic knows, as a broker without authorizer answers (KIP-430). */
export const ALL_TOPIC_OPERATIONS = 3576

/** Every operation a cluster knows. */
export const ALL_CLUSTER_OPERATIONS = 8096

/** Every operation a group knows: READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS. */
export const ALL_GROUP_OPERATIONS = (1 << 3) | (1 << 6) | (1 << 8) | (1 << 10) | (1 << 11)

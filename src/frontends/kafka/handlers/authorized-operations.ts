/** "Not asked for": the field is left at its default. */
export const NO_OPERATIONS = -2_147_483_648

/** Every operation a topic knows, as a broker without authorizer answers (KIP-430). */
export const ALL_TOPIC_OPERATIONS = 3576

/** Every operation a cluster knows. */
export const ALL_CLUSTER_OPERATIONS = 8096

/**
 * The texts of -ERR that clients compare, as nats-server writes them.
 * Source: server/errors.go and server/client.go of nats-server.
 */
export const ErrorText = {
  ACCOUNT_EXPIRED: 'Account Authentication Expired',
  AUTHENTICATION_TIMEOUT: 'Authentication Timeout',
  AUTHORIZATION_VIOLATION: 'Authorization Violation',
  INVALID_CLIENT_PROTOCOL: 'invalid client protocol',
  INVALID_PUBLISH_SUBJECT: 'Invalid Publish Subject',
  INVALID_SUBJECT: 'Invalid Subject',
  MAX_ACCOUNT_CONNECTIONS: 'maximum account active connections exceeded',
  MAX_CONNECTIONS: 'maximum connections exceeded',
  MAX_CONTROL_LINE: 'maximum control line exceeded',
  MAX_PAYLOAD: 'Maximum Payload Violation',
  MAX_SUBSCRIPTIONS: 'maximum subscriptions exceeded',
  NO_RESPONDERS_NEEDS_HEADERS: 'no responders requires headers support',
  SECURE_CONNECTION_REQUIRED: 'Secure Connection - TLS Required',
  STALE_CONNECTION: 'Stale Connection',
  USER_EXPIRED: 'User Authentication Expired',
  UNKNOWN_OPERATION: 'Unknown Protocol Operation',
} as const

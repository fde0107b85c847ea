/** What a client says about itself in CONNECT, as far as the server acts on it. */
export interface ConnectOptions {
  readonly verbose: boolean
  readonly pedantic: boolean
  readonly echo: boolean
  readonly headers: boolean
  readonly noResponders: boolean
  readonly protocol: number
  readonly name: string
  readonly lang: string
  readonly version: string
  /** It names an account, which only a server in a cluster may. */
  readonly namesAccount: boolean
  readonly credentials: Credentials
}

/** How a client says who it is. What it leaves out is empty. */
export interface Credentials {
  readonly user: string
  readonly password: string
  readonly token: string
  /** A public key, and what it signed. */
  readonly nkey: string
  readonly signature: string
  /** Signed claims of a user. */
  readonly jwt: string
}

export const NO_CREDENTIALS: Credentials = {
  user: '',
  password: '',
  token: '',
  nkey: '',
  signature: '',
  jwt: '',
}

/** What holds before the first CONNECT. Source: `defaultOpts` of nats-server. */
export const INITIAL_OPTIONS: ConnectOptions = {
  verbose: true,
  pedantic: true,
  echo: true,
  headers: false,
  noResponders: false,
  protocol: 0,
  name: '',
  lang: '',
  version: '',
  namesAccount: false,
  credentials: NO_CREDENTIALS,
}

/**
 * Reads the JSON of a CONNECT. What it leaves out stays as it was.
 * @returns null when it is no object of the right types
 */
export function parseConnect(json: string, before: ConnectOptions): ConnectOptions | null {
  let given: unknown
  try {
    given = JSON.parse(json)
  } catch {
    return null
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return null
  const fields = new Fields(given as Record<string, unknown>)
  const options = {
    verbose: fields.boolean('verbose', before.verbose),
    pedantic: fields.boolean('pedantic', before.pedantic),
    echo: fields.boolean('echo', before.echo),
    headers: fields.boolean('headers', before.headers),
    noResponders: fields.boolean('no_responders', before.noResponders),
    protocol: fields.integer('protocol', before.protocol),
    name: fields.text('name', before.name),
    lang: fields.text('lang', before.lang),
    version: fields.text('version', before.version),
    namesAccount: fields.boolean('new_account', false) || fields.text('account', '') !== '',
    credentials: credentialsOf(fields, before.credentials),
  }
  return fields.isValid ? options : null
}

function credentialsOf(fields: Fields, before: Credentials): Credentials {
  return {
    user: fields.text('user', before.user),
    password: fields.text('pass', before.password),
    token: fields.text('auth_token', before.token),
    nkey: fields.text('nkey', before.nkey),
    signature: fields.text('sig', before.signature),
    jwt: fields.text('jwt', before.jwt),
  }
}

class Fields {
  isValid = true
  readonly #given: Record<string, unknown>

  constructor(given: Record<string, unknown>) {
    this.#given = given
  }

  boolean(name: string, otherwise: boolean): boolean {
    const value = this.#given[name] ?? otherwise
    if (typeof value === 'boolean') return value
    this.isValid = false
    return otherwise
  }

  integer(name: string, otherwise: number): number {
    const value = this.#given[name] ?? otherwise
    if (typeof value === 'number' && Number.isInteger(value)) return value
    this.isValid = false
    return otherwise
  }

  text(name: string, otherwise: string): string {
    const value = this.#given[name] ?? otherwise
    if (typeof value === 'string') return value
    this.isValid = false
    return otherwise
  }
}

import { decoderSource } from './decoder-source.ts'
import { encoderSource } from './encoder-source.ts'
import { layoutOf } from './layout.ts'
import type { Reader } from './reader.ts'
import type { Decoded, Encodable, Message } from './schema.ts'
import type { Source } from './source.ts'
import type { Writer } from './writer.ts'

export type Decode<T> = (reader: Reader) => T
export type Encode<T> = (writer: Writer, value: T) => void

type ByVersion = unknown[]

/** What is compiled belongs to the message, however many modules ask for it. */
const decoders = new WeakMap<Message, ByVersion>()
const encoders = new WeakMap<Message, ByVersion>()

/**
 * Compiles a version when a peer first uses it: 10 APIs take 3 ms, all 618 codecs 25 ms.
 * @returns gives the decoder of a version; RangeError when the message has no such version
 */
export function decoderOf<M extends Message>(message: M): (version: number) => Decode<Decoded<M>> {
  const compiled = versionsOf(decoders, message) as Decode<Decoded<M>>[]
  return (version) => {
    const known = compiled[version]
    if (known !== undefined) return known
    const made = compileDecoder(message, version)
    compiled[version] = made
    return made
  }
}

/** As `decoderOf`, for encoders. They write no size and no header. */
export function encoderOf<M extends Message>(
  message: M,
): (version: number) => Encode<Encodable<M>> {
  const compiled = versionsOf(encoders, message) as Encode<Encodable<M>>[]
  return (version) => {
    const known = compiled[version]
    if (known !== undefined) return known
    const made = compileEncoder(message, version)
    compiled[version] = made
    return made
  }
}

function versionsOf(codecs: WeakMap<Message, ByVersion>, message: Message): ByVersion {
  const known = codecs.get(message)
  if (known !== undefined) return known
  const made: ByVersion = []
  codecs.set(message, made)
  return made
}

function compileDecoder<M extends Message>(message: M, version: number): Decode<Decoded<M>> {
  return build(decoderSource(layoutOf(message, version)), 'decode', message.name, version)
}

function compileEncoder<M extends Message>(message: M, version: number): Encode<Encodable<M>> {
  return build(encoderSource(layoutOf(message, version)), 'encode', message.name, version)
}

/**
 * `new Function` sees only names and numbers of our own schema, never a peer's bytes.
 * `sourceURL` gives the code a name in stack traces and profiles.
 */
function build<F>(source: Source, verb: string, name: string, version: number): F {
  const url = `\n//# sourceURL=spool-kafka/${name}.v${version}.${verb}.js`
  return new Function(`'use strict'\n${source.text()}\nreturn ${source.entry}${url}`)() as F
}

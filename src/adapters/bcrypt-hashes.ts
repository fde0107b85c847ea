/** Whether a bcrypt hash is that of a text; computed outside of the event loop, as it takes long. */
export async function isBcryptOf(hash: string, text: string): Promise<boolean> {
  const { verify } = await import('@node-rs/bcrypt')
  return await verify(text, hash)
}

import { hasEffect } from '../../../../src/broker/configs/configs-without-effect.ts'

/**
 * Configs as both brokers show them: without those that only Spool has, and without `readOnly` where
 * Spool says on purpose that a config changes nothing (docs/compatibility.md).
 */
export function comparableConfigs<T extends { name: string; readOnly: boolean }>(
  configs: readonly T[],
): (Omit<T, 'readOnly'> & { readOnly: boolean | null })[] {
  return configs
    .filter(({ name }) => !name.startsWith('spool.'))
    .map((config) => (hasEffect(config.name) ? config : { ...config, readOnly: null }))
}

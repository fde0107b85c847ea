import { ErrorCode } from '../../../base/error-code.ts'
import type { MetadataChange, MetadataImage, MetadataStore } from '../../../ports/metadata-store.ts'
import {
  type UpdateFeaturesRequest,
  updateFeaturesApi,
} from '../../../wire/kafka/messages/57-update-features.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface UpdateFeaturesServices {
  readonly metadata: MetadataStore
}

type Update = UpdateFeaturesRequest['featureUpdates'][number]

/** KIP-778. */
const UpgradeType = { UPGRADE: 1, SAFE_DOWNGRADE: 2, UNSAFE_DOWNGRADE: 3 } as const

/** Features whose level this broker serves at whatever it is, and changes while it runs. */
const CHANGEABLE: ReadonlyMap<string, readonly [min: number, max: number]> = new Map([
  ['transaction.version', [0, 2]],
])

/**
 * UpdateFeatures (KIP-584, KIP-778): all updates or none. Features but those of `CHANGEABLE` stay at
 * the level of the data directory: asking for the present one succeeds, any other is refused.
 */
export function updateFeaturesHandler({ metadata }: UpdateFeaturesServices): KafkaHandler {
  return defineHandler(updateFeaturesApi, async (request, { apiVersion }) => {
    const { featureUpdates, validateOnly } = request
    const changes: MetadataChange[] = []
    for (const update of featureUpdates) {
      const problem = problemOf(update, metadata.image, upgradeTypeOf(update, apiVersion))
      if (problem !== null) return refused(problem)
      const { feature: name, maxVersionLevel: level } = update
      if (levelOf(metadata.image, name) !== level) changes.push({ kind: 'featureSet', name, level })
    }
    if (!validateOnly && changes.length > 0) await metadata.commit(changes)
    return {
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      results: featureUpdates.map(({ feature }) => ({
        feature,
        errorCode: ErrorCode.NONE,
        errorMessage: 'NONE',
      })),
    }
  })
}

function refused(problem: string) {
  const errorMessage = `The update failed for all features since the following feature had an error: ${problem}`
  const errorCode = ErrorCode.INVALID_UPDATE_VERSION
  return { throttleTimeMs: 0, errorCode, errorMessage, results: [] }
}

/** Version 0 has a flag in its place. */
function upgradeTypeOf({ upgradeType, allowDowngrade }: Update, apiVersion: number): number {
  if (apiVersion > 0) return upgradeType
  return allowDowngrade ? UpgradeType.SAFE_DOWNGRADE : UpgradeType.UPGRADE
}

/** 0: the feature is off. */
const levelOf = ({ features }: MetadataImage, feature: string): number => features.get(feature) ?? 0

/** Kafka's words, and the order in which it looks. */
function problemOf(
  { feature, maxVersionLevel: level }: Update,
  image: MetadataImage,
  upgradeType: number,
): string | null {
  const present = levelOf(image, feature)
  const start = `Invalid update version ${level} for feature ${feature}. `
  if (upgradeType < UpgradeType.UPGRADE || upgradeType > UpgradeType.UNSAFE_DOWNGRADE)
    return `${start}The controller does not support the given upgrade type.`
  if (level < 0) return `${start}A feature version cannot be less than 0.`
  const range = CHANGEABLE.get(feature) ?? (image.features.has(feature) ? [present, present] : null)
  if (range === null)
    return `${start}Local controller ${image.nodeId} does not support this feature.`
  const [min, max] = range
  if (level < min || level > max)
    return `${start}Local controller ${image.nodeId} only supports versions ${min}-${max}`
  const isUpgrade = upgradeType === UpgradeType.UPGRADE
  if (level < present && isUpgrade)
    return (
      `${start}Can't downgrade the version of this feature without setting the upgrade type to ` +
      'either safe or unsafe downgrade.'
    )
  return level > present && !isUpgrade ? `${start}Can't downgrade to a newer version.` : null
}

import { ErrorCode } from '../../../base/error-code.ts'
import type { MetadataStore } from '../../../ports/metadata-store.ts'
import {
  type UpdateFeaturesRequest,
  updateFeaturesApi,
} from '../../../wire/kafka/messages/57-update-features.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface UpdateFeaturesServices {
  readonly metadata: MetadataStore
}

/**
 * UpdateFeatures (KIP-584). The levels are those of the data directory, and this broker serves each
 * at just that level: asking for the present one succeeds, any other is refused.
 */
export function updateFeaturesHandler({ metadata }: UpdateFeaturesServices): KafkaHandler {
  return defineHandler(updateFeaturesApi, ({ featureUpdates }) => {
    for (const update of featureUpdates) {
      const problem = problemOf(update, metadata)
      if (problem === null) continue
      const errorMessage = `The update failed for all features since the following feature had an error: ${problem}`
      const errorCode = ErrorCode.INVALID_UPDATE_VERSION
      return { throttleTimeMs: 0, errorCode, errorMessage, results: [] }
    }
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

function problemOf(
  { feature, maxVersionLevel }: UpdateFeaturesRequest['featureUpdates'][number],
  { image }: MetadataStore,
): string | null {
  const level = image.features.get(feature)
  if (level === maxVersionLevel) return null
  const start = `Invalid update version ${maxVersionLevel} for feature ${feature}. `
  if (level === undefined) {
    return `${start}Local controller ${image.nodeId} does not support this feature.`
  }
  return `${start}Local controller ${image.nodeId} only supports versions ${level}-${level}`
}

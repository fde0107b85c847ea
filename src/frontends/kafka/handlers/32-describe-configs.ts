import { ErrorCode } from '../../../base/error-code.ts'
import { BrokerError } from '../../../base/errors.ts'
import type { ConfigDescriber, DescribedConfig } from '../../../broker/configs/config-describer.ts'
import { ConfigResourceType } from '../../../ports/metadata-store.ts'
import {
  type DescribeConfigsRequest,
  type DescribeConfigsResponse,
  describeConfigsApi,
} from '../../../wire/kafka/messages/32-describe-configs.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface DescribeConfigsServices {
  readonly configDescriber: ConfigDescriber
}

type Resource = DescribeConfigsRequest['resources'][number]
type Result = DescribeConfigsResponse['results'][number]

/** DescribeConfigs. There is no documentation of configs here: the field is null when asked for. */
export function describeConfigsHandler({ configDescriber }: DescribeConfigsServices): KafkaHandler {
  return defineHandler(describeConfigsApi, ({ resources, includeSynonyms }) => ({
    throttleTimeMs: 0,
    results: resources.map((resource) => resultOf(configDescriber, resource, includeSynonyms)),
  }))
}

function resultOf(describer: ConfigDescriber, resource: Resource, hasSynonyms: boolean): Result {
  const { resourceType, resourceName, configurationKeys } = resource
  try {
    const configs = describe(describer, resourceType, resourceName, configurationKeys)
    return {
      errorCode: ErrorCode.NONE,
      errorMessage: '',
      resourceType,
      resourceName,
      configs: configs.map((config) => configOf(config, hasSynonyms)),
    }
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    const { code: errorCode, message: errorMessage } = error
    return { errorCode, errorMessage, resourceType, resourceName, configs: [] }
  }
}

function describe(
  describer: ConfigDescriber,
  type: number,
  name: string,
  keys: readonly string[] | null,
): DescribedConfig[] {
  if (type === ConfigResourceType.TOPIC) return describer.topic(name, keys)
  if (type === ConfigResourceType.BROKER) return describer.broker(name, keys)
  if (type === ConfigResourceType.GROUP) return describer.group(name, keys)
  throw new BrokerError(
    ErrorCode.INVALID_REQUEST,
    `This broker has configs of topics, brokers and groups, not of resource type ${type}.`,
  )
}

const configOf = (config: DescribedConfig, hasSynonyms: boolean) => ({
  name: config.name,
  value: config.value,
  readOnly: config.isReadOnly,
  configSource: config.source,
  isSensitive: config.isSensitive,
  synonyms: hasSynonyms ? config.synonyms : [],
  configType: config.type,
  documentation: null,
})

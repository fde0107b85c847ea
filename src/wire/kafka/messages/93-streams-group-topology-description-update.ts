import {
  api,
  array,
  type Decoded,
  type Encodable,
  int8,
  int16,
  int32,
  string,
  struct,
} from '../../../schema/schema.ts'

const topologyDescriptionNode = struct({
  name: string,
  nodeType: int8,
  sourceTopics: array(string),
  sinkTopic: string.orNull(),
  stores: array(string),
  successors: array(string),
})

const topologyDescriptionSubtopology = struct({
  subtopologyId: string,
  nodes: array(topologyDescriptionNode),
})

const topologyDescriptionGlobalStore = struct({
  source: topologyDescriptionNode,
  processor: topologyDescriptionNode,
})

const topologyDescription = struct({
  subtopologies: array(topologyDescriptionSubtopology),
  globalStores: array(topologyDescriptionGlobalStore),
})

export const streamsGroupTopologyDescriptionUpdateApi = api({
  key: 93,
  name: 'StreamsGroupTopologyDescriptionUpdate',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    groupId: string,
    memberId: string,
    topologyEpoch: int32,
    topologyDescription: topologyDescription,
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.orNull(),
  },
})

export interface StreamsGroupTopologyDescriptionUpdateRequest
  extends Decoded<typeof streamsGroupTopologyDescriptionUpdateApi.request> {}
export interface StreamsGroupTopologyDescriptionUpdateResponse
  extends Encodable<typeof streamsGroupTopologyDescriptionUpdateApi.response> {}

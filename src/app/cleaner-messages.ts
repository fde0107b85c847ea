import type { CleanRequest, SurveyRequest } from '../ports/segment-cleaner.ts'

/** What the broker asks its cleaner thread; the answers come in the same order. */
export type CleanerCall =
  | { readonly kind: 'survey'; readonly request: SurveyRequest }
  | { readonly kind: 'clean'; readonly request: CleanRequest }
  | { readonly kind: 'discard'; readonly directory: string; readonly baseOffset: number }
  | { readonly kind: 'write'; readonly path: string; readonly content: string }

export type CleanerAnswer =
  | { readonly value: unknown }
  | {
      /** `code` is the system's, such as ENOSPC. */
      readonly error: { readonly message: string; readonly code: string | null }
    }

/**
 * The shapes of the REST interface, as `openapi-typescript` writes them.
 * `npm run gen:api` replaces this file from docs/openapi.json; `types.ts` gives the names the pages use.
 */
export interface components {
  schemas: {
    Problem: {
      type?: string;
      title: string;
      status: number;
      detail?: string;
      code: string;
      errors?: { field: string; message: string }[];
      hint?: string | null;
      request_id?: string;
    };
    SetupView: { needed: boolean; version: string };
    NewSetup: { code: string; name: string; email: string; password: string };
    SessionView: {
      user: { id: string; name: string; email: string; role: string };
      tenant: { id: string; name: string };
      csrf_token: string;
      expires_at: string;
    };
    DocumentProblem: { code: string; message: string; hint?: string | null };
    DocumentView: {
      id: string;
      title: string;
      file_name: string;
      media_type: string;
      type: string;
      language?: string | null;
      collection?: string | null;
      tags: string[];
      source?: string | null;
      sha256: string;
      size_bytes: number;
      pages?: number | null;
      characters?: number | null;
      passages?: number | null;
      status: 'queued' | 'extracting' | 'indexing' | 'ready' | 'failed';
      percent: number;
      problem?: components['schemas']['DocumentProblem'] | null;
      ocr_pages?: number[];
      created_at: string;
      updated_at: string;
      indexed_at?: string | null;
    };
    Block: {
      kind: 'heading' | 'paragraph' | 'list_item' | 'table_row' | 'code' | 'note' | 'caption';
      level?: number | null;
      start: number;
      end: number;
      page?: number | null;
      label?: string | null;
    };
    DocumentText: {
      document: string;
      title: string;
      length: number;
      from: number;
      to: number;
      text: string;
      blocks: components['schemas']['Block'][];
    };
    BulkResult: { results: { id: string; ok: boolean; problem?: components['schemas']['Problem'] | null }[] };
    FacetValue: { value: string; count: number };
    DocumentFacets: {
      collections: components['schemas']['FacetValue'][];
      tags: components['schemas']['FacetValue'][];
      types: components['schemas']['FacetValue'][];
      languages: components['schemas']['FacetValue'][];
      statuses: components['schemas']['FacetValue'][];
    };
    QueueView: { queued: number; running: number; failed: number; ready?: number };
    Hit: {
      document: string;
      title: string;
      type: string;
      collection?: string | null;
      page?: number | null;
      label?: string | null;
      heading?: string | null;
      snippet: string;
      highlights: [number, number][];
      start: number;
      end: number;
      score: number;
    };
    SearchView: {
      hits: components['schemas']['Hit'][];
      total: number;
      next_cursor?: string | null;
      facets: {
        collections: components['schemas']['FacetValue'][];
        tags: components['schemas']['FacetValue'][];
        types: components['schemas']['FacetValue'][];
        languages: components['schemas']['FacetValue'][];
      };
      took_ms: number;
    };
    Citation: {
      n: number;
      document: string;
      title: string;
      type: string;
      page?: number | null;
      label?: string | null;
      start: number;
      end: number;
      quote: string;
    };
    Trace: {
      retrieve_ms?: number | null;
      select_ms?: number | null;
      first_token_ms?: number | null;
      first_sentence_ms?: number | null;
      verify_ms?: number | null;
      total_ms?: number | null;
    };
    TurnView: {
      turn: string;
      conversation: string;
      question: string;
      answer: string;
      mode: 'extractive' | 'ollama' | 'none';
      model?: string | null;
      answered: boolean;
      notice?: string | null;
      sentences: { index: number; text: string; citations: number[] }[];
      citations: components['schemas']['Citation'][];
      nearest?: components['schemas']['Hit'][] | null;
      dropped_citations?: number;
      rating?: 'up' | 'down' | null;
      created_at: string;
      trace: components['schemas']['Trace'];
    };
    ConversationSummary: { id: string; title: string; turns: number; created_at: string; updated_at: string };
    ConversationView: {
      id: string;
      title: string;
      created_at: string;
      updated_at: string;
      turns: components['schemas']['TurnView'][];
    };
    SettingsView: {
      ollama: { enabled: boolean; url: string; model: string; keep_alive_seconds: number; timeout_seconds: number };
      answers: { sentences: number; language: string };
      speech: { voice: string; rate: number };
      limits: {
        max_upload_bytes: number;
        extract_seconds: number;
        extract_memory_bytes: number;
        extract_workers: number;
      };
    };
    OllamaTest: {
      ok: boolean;
      version?: string | null;
      models: string[];
      latency_ms?: number | null;
      problem?: { message: string; hint?: string | null } | null;
    };
    StatusView: {
      version: string;
      build?: string | null;
      started_at: string;
      uptime_seconds: number;
      in_use: {
        answers: { mode: string; model?: string | null; reachable?: boolean | null };
        search: string;
        voice?: string | null;
        recogniser?: string | null;
        ocr?: string | null;
      };
      documents: {
        total: number;
        ready: number;
        failed: number;
        queued: number;
        extracting: number;
        indexing: number;
        passages: number;
        characters: number;
      };
      queue: { queued: number; running: number; failed: number };
      disk: {
        data_bytes: number;
        blobs_bytes: number;
        index_bytes: number;
        database_bytes: number;
        free_bytes: number;
      };
      memory: { resident_bytes: number };
      recent_errors: { at: string; code: string; message: string; document?: string | null }[];
      egress: {
        at: string;
        method: string;
        url: string;
        allowed: boolean;
        purpose?: string | null;
        status?: number | null;
      }[];
    };
    KeyView: {
      id: string;
      name: string;
      prefix: string;
      created_at: string;
      last_used_at?: string | null;
      expires_at?: string | null;
    };
    NewKeyView: components['schemas']['KeyView'] & { secret: string };
  };
}

/** A recording to `POST /transcriptions`; segments come while it is heard. XMLHttpRequest, because it tells what was sent. */
import { csrfToken, signedOut, url } from './client';
import { ApiError, problemFrom } from './problem';
import { SseParser } from './sse';
import type { Problem } from './types';
import type { Segment, Transcript } from './voice-types';

export interface TranscribeHandlers {
  onsent: (bytes: number) => void;
  onsegment: (segment: Segment) => void;
}

export function transcribe(file: Blob, language: string, handlers: TranscribeHandlers, signal: AbortSignal): Promise<Transcript> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const parser = new SseParser();
    let read = 0;
    let result: Transcript | null = null;
    let problem: ApiError | null = null;
    const take = () => {
      if (request.status !== 200) return;
      const fresh = request.responseText.slice(read);
      read = request.responseText.length;
      for (const { event, data } of parser.push(fresh)) {
        if (event === 'segment') handlers.onsegment(JSON.parse(data) as Segment);
        else if (event === 'done') result = JSON.parse(data) as Transcript;
        else if (event === 'error') problem = new ApiError(JSON.parse(data) as Problem);
      }
    };
    request.open('POST', url('/transcriptions', { language }));
    request.setRequestHeader('X-CSRF-Token', csrfToken());
    request.setRequestHeader('Accept', 'text/event-stream');
    request.setRequestHeader('Content-Type', file.type.startsWith('audio/') ? file.type : 'application/octet-stream');
    request.upload.onprogress = (e) => handlers.onsent(e.loaded);
    request.upload.onload = () => handlers.onsent(file.size);
    request.onprogress = take;
    request.onload = () => {
      if (request.status === 401) signedOut();
      if (request.status !== 200) return reject(problemFrom(request.status, request.responseText));
      take();
      if (result) resolve(result);
      else reject(problem ?? ApiError.unreachable());
    };
    request.onerror = () => reject(ApiError.unreachable());
    request.onabort = () => reject(new DOMException('cancelled', 'AbortError'));
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(file);
  });
}

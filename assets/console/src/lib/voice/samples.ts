/** A sentence to try a voice with, in its own language. These are data, not words of the page. */
const SENTENCES: Record<string, string> = {
  ar: 'مرحبا، هكذا يبدو صوتي عندما أقرأ إجابة.',
  bg: 'Здравейте, така звучи гласът ми, когато чета отговор.',
  ca: 'Hola, així sona la meva veu quan llegeixo una resposta.',
  cs: 'Dobrý den, takto zní můj hlas, když čtu odpověď.',
  da: 'Hej, sådan lyder min stemme, når jeg læser et svar.',
  de: 'Guten Tag, so klingt meine Stimme, wenn ich eine Antwort vorlese.',
  el: 'Γεια σας, έτσι ακούγεται η φωνή μου όταν διαβάζω μια απάντηση.',
  en: 'Hello, this is how my voice sounds when I read an answer.',
  es: 'Hola, así suena mi voz cuando leo una respuesta.',
  fi: 'Hei, tältä ääneni kuulostaa, kun luen vastauksen.',
  fr: 'Bonjour, voici ma voix quand je lis une réponse.',
  hi: 'नमस्ते, जब मैं उत्तर पढ़ता हूँ तो मेरी आवाज़ ऐसी लगती है।',
  hu: 'Jó napot, így szól a hangom, amikor felolvasok egy választ.',
  it: 'Buongiorno, ecco la mia voce quando leggo una risposta.',
  ja: 'こんにちは。答えを読むときの声はこのようになります。',
  ko: '안녕하세요, 답변을 읽을 때 제 목소리는 이렇습니다.',
  nb: 'Hei, slik høres stemmen min ut når jeg leser et svar.',
  nl: 'Hallo, zo klinkt mijn stem als ik een antwoord voorlees.',
  pl: 'Dzień dobry, tak brzmi mój głos, kiedy czytam odpowiedź.',
  pt: 'Olá, é assim que soa a minha voz quando leio uma resposta.',
  ro: 'Bună ziua, așa sună vocea mea când citesc un răspuns.',
  ru: 'Здравствуйте, так звучит мой голос, когда я читаю ответ.',
  sk: 'Dobrý deň, takto znie môj hlas, keď čítam odpoveď.',
  sv: 'Hej, så här låter min röst när jag läser upp ett svar.',
  tr: 'Merhaba, bir cevabı okurken sesim böyle çıkıyor.',
  uk: 'Вітаю, так звучить мій голос, коли я читаю відповідь.',
  vi: 'Xin chào, đây là giọng của tôi khi đọc câu trả lời.',
  zh: '您好，这是我朗读答案时的声音。',
};

const ALIAS: Record<string, string> = { no: 'nb', nn: 'nb', cmn: 'zh', yue: 'zh' };

/** "de-at" -> "de". */
export function baseLanguage(code: string): string {
  return (code.split(/[-_]/)[0] ?? code).toLowerCase();
}

/** In English when there is none of the language: any voice can say something then. */
export function sampleFor(language: string): { text: string; language: string } {
  const base = baseLanguage(language);
  const key = ALIAS[base] ?? base;
  const text = SENTENCES[key];
  return text ? { text, language: base } : { text: SENTENCES['en'] as string, language: 'en' };
}

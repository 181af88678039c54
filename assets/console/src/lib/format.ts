/** Numbers, sizes and times as the chosen language writes them. */
import { formatLocale, tOr } from './i18n.svelte';

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

export function number(n: number, digits = 0): string {
  return n.toLocaleString(formatLocale(), { maximumFractionDigits: digits });
}

/** 1,536 -> "1.5 kB" (powers of 1000, as disks and file managers count). */
export function bytes(n: number): string {
  let step = 0;
  let value = n;
  while (value >= 999.5 && step < UNITS.length - 1) {
    value /= 1000;
    step += 1;
  }
  return new Intl.NumberFormat(formatLocale(), {
    style: 'unit',
    unit: UNITS[step] ?? 'byte',
    unitDisplay: step === 0 ? 'long' : 'short',
    maximumFractionDigits: value < 10 && step > 0 ? 1 : 0,
  }).format(value);
}

export function dateTime(iso: string): string {
  return new Date(iso).toLocaleString(formatLocale(), { dateStyle: 'medium', timeStyle: 'short' });
}

export function date(iso: string): string {
  return new Date(iso).toLocaleDateString(formatLocale(), { dateStyle: 'medium' });
}

/** "3 minutes ago"; older than a week: the date. */
export function ago(iso: string, now = Date.now()): string {
  const seconds = Math.round((new Date(iso).getTime() - now) / 1000);
  const format = new Intl.RelativeTimeFormat(formatLocale(), { numeric: 'auto' });
  const past = Math.abs(seconds);
  if (past < 60) return format.format(0, 'minute');
  if (past < 3600) return format.format(Math.round(seconds / 60), 'minute');
  if (past < 86_400) return format.format(Math.round(seconds / 3600), 'hour');
  if (past < 604_800) return format.format(Math.round(seconds / 86_400), 'day');
  return date(iso);
}

export function duration(seconds: number): string {
  const unit = (value: number, name: string) =>
    new Intl.NumberFormat(formatLocale(), { style: 'unit', unit: name, unitDisplay: 'short' }).format(value);
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (days > 0) return `${unit(days, 'day')} ${unit(hours, 'hour')}`;
  if (hours > 0) return `${unit(hours, 'hour')} ${unit(minutes, 'minute')}`;
  if (minutes > 0) return unit(minutes, 'minute');
  return unit(Math.floor(seconds), 'second');
}

/** "de" -> "German"; codes that are not languages stay as they are. */
export function languageName(code: string): string {
  try {
    return new Intl.DisplayNames([formatLocale()], { type: 'language' }).of(code) ?? code;
  } catch {
    return code;
  }
}

export function typeName(type: string): string {
  return tOr(`type.${type}`, type.toUpperCase());
}

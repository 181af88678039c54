/** The wizard's step in which a field that the server refuses stands. */
const STEPS: Record<string, number> = { id: 1, name: 1, plan: 2, region: 2, limits: 2, owner_email: 3, owner_name: 3 };

export function stepOf(fields: readonly string[], present: number): number {
  const steps = fields.map((field) => STEPS[field.split('.')[0] ?? ''] ?? present);
  return steps.length > 0 ? Math.min(...steps) : present;
}

export const PLANS = ['free', 'team', 'business', 'enterprise'] as const;

// Failures of the follower, as they are told: changes of state where an engine is away.
import { beforeEach, expect, test } from 'vitest';
import { failure } from '../../../kernel/errors.ts';
import { createFollowerNews, type FollowerNews } from './follower-news.ts';

let told: unknown[];
let news: FollowerNews;
beforeEach(() => {
  told = [];
  news = createFollowerNews((error) => told.push(error));
});
const away = (what: string) => failure('unavailable', `${what} does not answer.`, 'Start it.');

test('a store that is away is told once, wherever it was met, and once when it is back', () => {
  const first = away('PostgreSQL');
  news.failed('vectors', first, 3);
  news.failed('store', away('PostgreSQL'), 3);
  for (let i = 0; i < 4; i++) news.failed('store', away('PostgreSQL'), 0);
  news.well('store');
  news.well('vectors');
  expect(told).toEqual([first, undefined]);
});

test('a store that answers says nothing of an embedding service that does not', () => {
  const service = away('the embedding service');
  news.failed('vectors', service, 1);
  news.well('store');
  expect(told).toEqual([service]);
  news.well('vectors');
  expect(told).toEqual([service, undefined]);
});

test('anything else is told each time, and has no end', () => {
  const error = new Error('odd');
  news.failed('vectors', error, 1);
  news.failed('vectors', error, 1);
  news.well('vectors');
  expect(told).toEqual([error, error]);
});

// Computes a half-whitening from a sample of vectors. Takes 0.2-0.6 s, so it runs in fit-worker.ts.
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import type { Whitening } from './whitening.ts';

/** WW has eigenvalues variance^-0.5: half of the whitening, which has -1. */
const EXPONENT = -0.5;
/** Share of the mean variance added to each direction, so that directions nobody uses are not blown up. */
const SHRINKAGE = 0.05;

/** Rows of `dimensions` numbers each, one after the other. */
export type Sample = { readonly dimensions: number; readonly values: Float32Array; readonly fitted_rows: number };

const meanOf = ({ values, dimensions }: Sample): Float64Array => {
  const mean = new Float64Array(dimensions);
  const rows = values.length / dimensions;
  for (let i = 0; i < values.length; i++) mean[i % dimensions] = (mean[i % dimensions] ?? 0) + (values[i] ?? 0) / rows;
  return mean;
};

const covarianceOf = ({ values, dimensions }: Sample, mean: Float64Array): Float64Array => {
  const sums = new Float64Array(dimensions * dimensions);
  const row = new Float64Array(dimensions);
  const rows = values.length / dimensions;
  for (let start = 0; start < values.length; start += dimensions) {
    for (let i = 0; i < dimensions; i++) row[i] = (values[start + i] as number) - (mean[i] as number);
    for (let i = 0; i < dimensions; i++) {
      const left = row[i] as number;
      for (let j = i; j < dimensions; j++)
        sums[i * dimensions + j] = (sums[i * dimensions + j] as number) + left * (row[j] as number);
    }
  }
  for (let i = 0; i < dimensions; i++) {
    for (let j = i; j < dimensions; j++) {
      const value = (sums[i * dimensions + j] as number) / rows;
      sums[i * dimensions + j] = value;
      sums[j * dimensions + i] = value;
    }
  }
  return sums;
};

/** Fits mean and matrix to the sample. */
export const fitWhitening = (sample: Sample): Whitening => {
  const { dimensions } = sample;
  const mean = meanOf(sample);
  const covariance = Matrix.from1DArray(dimensions, dimensions, covarianceOf(sample, mean));
  const { eigenvectorMatrix: vectors, realEigenvalues } = new EigenvalueDecomposition(covariance, {
    assumeSymmetric: true,
  });
  const variances = realEigenvalues.map((value) => Math.max(value, 0));
  const ridge = SHRINKAGE * (variances.reduce((sum, value) => sum + value, 0) / dimensions) || 1;
  const weights = Matrix.diag(variances.map((value) => (value + ridge) ** EXPONENT));
  const matrix = vectors.mmul(weights).mmul(vectors.transpose());
  return {
    dimensions,
    fitted_rows: sample.fitted_rows,
    mean: Float32Array.from(mean),
    matrix: Float32Array.from(matrix.to1DArray()),
  };
};

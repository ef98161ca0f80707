package main

import "math"

// size is the number of bits of a description.
const size = 128

type matrix [size][size]float64

// add adds the outer product of a vector with itself.
func (m *matrix) add(v [size]float64) {
	for i, a := range v {
		if a == 0 {
			continue
		}
		for j, b := range v {
			m[i][j] += a * b
		}
	}
}

func product(a, b *matrix) *matrix {
	p := new(matrix)
	for i := range size {
		for k := range size {
			for j := range size {
				p[i][j] += a[i][k] * b[k][j]
			}
		}
	}
	return p
}

// inverseRoot is the inverse of the square root of a symmetric matrix of positive eigenvalues.
func inverseRoot(m *matrix) *matrix {
	values, vectors := eigen(m)
	scaled, transposed := new(matrix), new(matrix)
	for i := range size {
		for k := range size {
			scaled[i][k] = vectors[i][k] / math.Sqrt(values[k])
			transposed[k][i] = vectors[i][k]
		}
	}
	return product(scaled, transposed)
}

// eigen returns the eigenvalues of a symmetric matrix, and its eigenvectors as columns, by Jacobi's method (Golub and Van
// Loan, "Matrix Computations", section 8.5).
func eigen(m *matrix) (values [size]float64, vectors *matrix) {
	a := *m
	vectors = new(matrix)
	for i := range size {
		vectors[i][i] = 1
	}
	const sweeps, done = 30, 1e-18
	for range sweeps {
		rest := 0.0
		for p := range size {
			for q := range p {
				rest += a[p][q] * a[p][q]
				rotate(&a, vectors, q, p)
			}
		}
		if rest < done {
			break
		}
	}
	for i := range size {
		values[i] = a[i][i]
	}
	return values, vectors
}

// rotate makes a[p][q] zero.
func rotate(a, vectors *matrix, p, q int) {
	if a[p][q] == 0 {
		return
	}
	theta := (a[q][q] - a[p][p]) / (2 * a[p][q])
	t := math.Copysign(1, theta) / (math.Abs(theta) + math.Sqrt(theta*theta+1))
	c := 1 / math.Sqrt(t*t+1)
	s := t * c
	for k := range size {
		a[k][p], a[k][q] = c*a[k][p]-s*a[k][q], s*a[k][p]+c*a[k][q]
	}
	for k := range size {
		a[p][k], a[q][k] = c*a[p][k]-s*a[q][k], s*a[p][k]+c*a[q][k]
	}
	for k := range size {
		vectors[k][p], vectors[k][q] = c*vectors[k][p]-s*vectors[k][q], s*vectors[k][p]+c*vectors[k][q]
	}
}

// Package aws reads and fills members of the shapes that the packages below it
// hold. A member that a caller left out is nil there, and so is one that an answer
// does not show. It knows presence and absence; it refuses to know any shape, so
// that one function serves all of them and nothing has to be generated for each.
package aws

// Value is what p points to, or the zero value when the member is absent.
func Value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// ValueOr is what p points to, or fallback when the member is absent.
func ValueOr[T any](p *T, fallback T) T {
	if p != nil {
		return *p
	}
	return fallback
}

// List is s, or an empty list when s is absent: for members that AWS shows as []
// rather than not at all.
func List[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// NonZero is a pointer to v, or nil when v is zero: for members that AWS leaves out
// rather than show as "" or 0.
func NonZero[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

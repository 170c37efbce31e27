package tags

import "fargo/store"

// A Resource is one that has tags.
type Resource[T Tag] struct {
	Tags []T
	// Put gives the resource other tags, or refuses to.
	Put func(tx *store.Tx, tags []T) error
}

// Of makes a Resource of a record that was found in a table. member points to the
// tags in such a record; found is not changed.
func Of[R any, T Tag](table *store.Table[R], found *R, member func(*R) *[]T) *Resource[T] {
	return &Resource[T]{*member(found), func(tx *store.Tx, tags []T) error {
		changed := *found
		*member(&changed) = tags
		table.Put(tx, &changed)
		return nil
	}}
}

// Change gives the resource the tags that change makes of those it has.
func (r *Resource[T]) Change(tx *store.Tx, change func([]T) ([]T, error)) error {
	tags, err := change(r.Tags)
	if err != nil {
		return err
	}
	return r.Put(tx, tags)
}

package main

import (
	"context"
	"fmt"
	"path/filepath"

	"fargo/instance"
	"fargo/record"
	"fargo/store"
)

// What starting without these parts means.
const (
	withoutRegistry = "which forgets all images that were pushed"
	withoutObjects  = "which forgets all objects in buckets"
)

// contents are the records that say what is in a part of a data directory. A part that is
// missing is missed only when there are some.
type contents struct {
	part        string
	what        string // "images"
	consequence string
	records     []records
}

// records are those of a table.
type records interface {
	count(r store.Reader) int
	// forget deletes some of them, and reports how many.
	forget(tx *store.Tx, most int) int
}

var partContents = []contents{
	{"registry", "images", withoutRegistry, []records{recordsOf[record.RepositoryImage]{store.Images, (*record.RepositoryImage).Key}}},
	{"objects", "objects", withoutObjects, []records{
		recordsOf[record.Object]{store.Objects, (*record.Object).Key},
		recordsOf[record.ObjectPart]{store.ObjectParts, (*record.ObjectPart).Key},
	}},
}

type recordsOf[T any] struct {
	table *store.Table[T]
	key   func(*T) string
}

func (o recordsOf[T]) count(r store.Reader) (n int) {
	for range o.table.All(r) {
		n++
	}
	return n
}

func (o recordsOf[T]) forget(tx *store.Tx, most int) (n int) {
	for v := range o.table.All(tx) {
		if n == most {
			break
		}
		o.table.Delete(tx, o.key(v))
		n++
	}
	return n
}

// checkContents fails when a part is missing that records say had something in it. With
// beginAnew it deletes the records instead.
func (p *plane) checkContents(ctx context.Context, missing map[string]bool) error {
	for _, c := range partContents {
		if !missing[c.part] {
			continue
		}
		n := 0
		for _, r := range c.records {
			n += r.count(p.db.View())
		}
		if n > 0 && !p.beginAnew {
			return &instance.MissingError{
				Part: filepath.Join(p.inst.Dir, c.part), Consequence: c.consequence, Seen: []string{fmt.Sprintf("the records of %d %s", n, c.what)},
			}
		}
		for _, r := range c.records {
			if err := p.forget(ctx, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// forgotten is how many records are deleted in one transaction.
const forgotten = 100

func (p *plane) forget(ctx context.Context, r records) error {
	for n := forgotten; n == forgotten; {
		err := p.db.Update(ctx, func(tx *store.Tx) error {
			n = r.forget(tx, forgotten)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

package disk_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"fargo/store"
)

// BenchmarkUpdate measures durable transactions, alone and with company to
// share a sync with.
func BenchmarkUpdate(b *testing.B) {
	for _, callers := range []int{1, 32} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			db, err := openDB(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			var n atomic.Int64
			b.SetParallelism(callers)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					i := n.Add(1)
					err := db.Update(b.Context(), func(tx *store.Tx) error {
						halves.Put(tx, &half{Key: fmt.Sprint(i), Value: 1})
						return nil
					})
					if err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

// BenchmarkOpen measures a start with a thousand records.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	fill, err := openDB(dir)
	if err != nil {
		b.Fatal(err)
	}
	err = fill.Update(b.Context(), func(tx *store.Tx) error {
		for i := range 1000 {
			halves.Put(tx, &half{Key: fmt.Sprint(i), Value: i})
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	fill.Close()
	for b.Loop() {
		db, err := openDB(dir)
		if err != nil {
			b.Fatal(err)
		}
		db.Close()
	}
}

package logs

import (
	"fmt"
	"sync/atomic"
	"testing"

	"fargo/desired"
)

// BenchmarkAppend is what many containers at once can write, each batch synced.
func BenchmarkAppend(b *testing.B) {
	s, err := Open(b.TempDir(), discard)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var sender atomic.Int64
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		t := target("g", fmt.Sprint("s", sender.Add(1)))
		t.Create = true
		if err := s.OpenLog(b.Context(), t); err != nil {
			b.Error(err)
		}
		for at := int64(0); pb.Next(); at += 10 {
			batch := desired.LogBatch{Target: t, Source: "f", From: at, To: at + 10, Events: events(at+1, "a line of output, of the usual length or so, with some words in it")}
			if _, err := s.Append(b.Context(), batch); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkSearch is a page of a group of ten thousand short streams.
func BenchmarkSearch(b *testing.B) {
	s, err := Open(b.TempDir(), discard)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for i := range int64(10_000) {
		t := target("g", fmt.Sprint("s", i))
		t.Create = true
		if err := s.OpenLog(b.Context(), t); err != nil {
			b.Fatal(err)
		}
		batch := desired.LogBatch{Target: t, Source: "f", To: 1, Events: events(i*10+1, "one", "two", "three", "four", "five")}
		if _, err := s.Append(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		found, _, err := s.Search(b.Context(), testScope, "g", Search{Start: 50_000, Limit: 1000})
		if err != nil || len(found) != 1000 {
			b.Fatal(len(found), err)
		}
	}
}

package engine

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/record"
)

// fileKind is what a file of the engine is, by its name.
// Source: pebble's internal/base/filenames.go.
type fileKind int

const (
	kindOther fileKind = iota
	kindLog
	kindManifest
	kindTable
	kindOptions
)

// parseName takes a file's name apart.
func parseName(name string) (fileKind, uint64) {
	kind, digits := kindOther, ""
	if rest, ok := strings.CutPrefix(name, "MANIFEST-"); ok {
		kind, digits = kindManifest, rest
	} else if rest, ok := strings.CutPrefix(name, "OPTIONS-"); ok {
		kind, digits = kindOptions, rest
	} else if rest, ok := strings.CutSuffix(name, ".log"); ok {
		kind, digits = kindLog, rest
	} else if rest, ok := strings.CutSuffix(name, ".sst"); ok {
		kind, digits = kindTable, rest
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return kindOther, 0
	}
	return kind, n
}

func logName(number uint64) string { return fmt.Sprintf("%06d.log", number) }

// newReader makes pebble's reader of records, which takes a log's number in a type
// that has no name outside of pebble.
func newReader(r io.Reader, log uint64) *record.Reader { return number(record.NewReader, r, log) }

func number[N ~uint64](make func(io.Reader, N) *record.Reader, r io.Reader, log uint64) *record.Reader {
	return make(r, N(log))
}

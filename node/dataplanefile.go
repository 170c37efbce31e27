package node

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"fargo/desired"
)

// What is desired apart from tasks is kept in pieces: a file for each network, load
// balancer, target group, endpoint, flow log and logged interface, and one for all names.
// A piece is named by the digest of what is in it and never changes. The index names
// those that are desired, and is replaced when all of them are there: readers find what
// was desired before or what is desired now, and a change of one target writes its group
// and the index.

// dataPlaneIndex names the pieces, in their order.
type dataPlaneIndex struct {
	VPCs      []string `json:"vpcs,omitempty"`
	Balancers []string `json:"balancers,omitempty"`
	Groups    []string `json:"groups,omitempty"`
	Records   []string `json:"records,omitempty"` // one at most: all records
	Endpoints []string `json:"endpoints,omitempty"`
	Platform  []string `json:"platform,omitempty"` // one at most
	FlowLogs  []string `json:"flowLogs,omitempty"`
	Logged    []string `json:"logged,omitempty"`
}

func (d disk) dataPlane() string              { return filepath.Join(d.memory, "data-plane") }
func (d disk) dataPlaneIndex() string         { return filepath.Join(d.dataPlane(), "index.json") }
func (d disk) dataPlanePiece(n string) string { return filepath.Join(d.dataPlane(), n+".json") }

// saveDataPlane keeps what is desired apart from tasks. It writes the pieces that are
// not there yet, and removes those that are no longer desired.
func (d disk) saveDataPlane(s desired.State) error {
	err := os.MkdirAll(d.dataPlane(), 0o700)
	if err == nil {
		err = d.savePieces(s)
	}
	if err != nil {
		return fmt.Errorf("saving what is desired: %w", err)
	}
	return nil
}

func (d disk) savePieces(s desired.State) error {
	w := pieceWriter{disk: d, used: map[string]bool{filepath.Base(d.dataPlaneIndex()): true}}
	index := dataPlaneIndex{
		VPCs: saveEach(&w, s.VPCs), Balancers: saveEach(&w, s.Balancers), Groups: saveEach(&w, s.Groups),
		Endpoints: saveEach(&w, s.Endpoints),
		FlowLogs:  saveEach(&w, s.FlowLogs), Logged: saveEach(&w, s.Logged),
	}
	if len(s.Records) > 0 {
		index.Records = saveEach(&w, [][]desired.Record{s.Records})
	}
	if s.Platform.Upstream != "" {
		index.Platform = saveEach(&w, []desired.Platform{s.Platform})
	}
	if w.err != nil {
		return w.err
	}
	data, err := json.Marshal(index)
	if err == nil {
		err = replace(d.dataPlaneIndex(), data, 0o600)
	}
	if err != nil {
		return err
	}
	return w.removeUnused()
}

// pieceWriter writes pieces until one fails.
type pieceWriter struct {
	disk disk
	used map[string]bool // names of files
	err  error
}

// saveEach gives the names of values' pieces.
func saveEach[T any](w *pieceWriter, all []T) (names []string) {
	for i := range all {
		if w.err == nil {
			names = append(names, w.save(&all[i]))
		}
	}
	return names
}

func (w *pieceWriter) save(value any) (name string) {
	var data []byte
	if data, w.err = json.Marshal(value); w.err != nil {
		return ""
	}
	name = pieceName(data)
	path := w.disk.dataPlanePiece(name)
	w.used[filepath.Base(path)] = true
	if _, err := os.Lstat(path); err != nil {
		w.err = replace(path, data, 0o600)
	}
	return name
}

func pieceName(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}

// removeUnused removes the files that are of no piece that was saved.
func (w *pieceWriter) removeUnused() error {
	entries, err := os.ReadDir(w.disk.dataPlane())
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if !w.used[e.Name()] {
			errs = append(errs, RemoveAll(filepath.Join(w.disk.dataPlane(), e.Name())))
		}
	}
	return errors.Join(errs...)
}

// loadDataPlane gives what was last desired apart from tasks.
func (d disk) loadDataPlane() (desired.State, error) {
	s, err := d.loadPieces()
	if err != nil {
		return desired.State{}, fmt.Errorf("loading what is desired: %w", err)
	}
	return s, nil
}

func (d disk) loadPieces() (s desired.State, err error) {
	var index dataPlaneIndex
	if err := load(d.dataPlaneIndex(), &index); err != nil {
		return s, err
	}
	var records [][]desired.Record
	var platform []desired.Platform
	err = errors.Join(
		loadEach(d, index.VPCs, &s.VPCs), loadEach(d, index.Balancers, &s.Balancers),
		loadEach(d, index.Groups, &s.Groups), loadEach(d, index.Records, &records),
		loadEach(d, index.Endpoints, &s.Endpoints), loadEach(d, index.Platform, &platform),
		loadEach(d, index.FlowLogs, &s.FlowLogs), loadEach(d, index.Logged, &s.Logged),
	)
	for _, r := range records {
		s.Records = append(s.Records, r...)
	}
	for _, p := range platform {
		s.Platform = p
	}
	return s, err
}

// loadEach reads pieces. One that is not there, or is not what its name says, is
// errBroken, for the index has named it.
func loadEach[T any](d disk, names []string, into *[]T) error {
	for _, name := range names {
		var value T
		path := d.dataPlanePiece(name)
		var data json.RawMessage
		err := load(path, &data)
		if err == nil && pieceName(data) == name {
			err = json.Unmarshal(data, &value)
		} else if err == nil || errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w: %s is not what was written", errBroken, path)
		}
		if err != nil {
			return err
		}
		*into = append(*into, value)
	}
	return nil
}

// putDataPlaneAside moves what cannot be read of the data plane out of the way.
func (d disk) putDataPlaneAside() error {
	if _, err := os.Lstat(d.dataPlane()); err != nil {
		return nil // there is nothing
	}
	return d.putAside(d.dataPlane())
}

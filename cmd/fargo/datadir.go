package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"fargo/engine"
	"fargo/instance"
	"fargo/logs"
	"fargo/store/disk"
)

// parts are those of a data directory, in the order in which the first start creates
// them.
var parts = []instance.Part{
	{Name: "store", Exists: disk.Exists, Consequence: "which starts with an empty account and ends all tasks that run"},
	{Name: "logs", Exists: logs.Exists, Consequence: "which starts with no logs"},
	{Name: "registry", Consequence: withoutRegistry},
	{Name: "objects", Consequence: withoutObjects},
	{Name: "admin.json"},
	{Name: "ca.pem"},
	{Name: "endpoint"},
	{Name: "node"},
}

// checkDataDir fails when a part that existed is missing, unless it is to be created
// again. Of those that may have been empty it only reports which are missing, for
// [plane.checkContents].
func checkDataDir(inst *instance.Instance, beginAnew bool) (emptyOrLost map[string]bool, err error) {
	for _, dir := range []string{inst.StoreDir(), inst.LogsDir(), inst.MetricsDir()} {
		if _, err := os.Stat(dir + engine.Repaired); err == nil {
			return nil, fmt.Errorf("the repair of %s was not finished: fargo repair --data-dir %s goes on with it", dir, inst.Dir)
		}
	}
	missing, err := inst.Missing(parts)
	if err != nil {
		return nil, err
	}
	emptyOrLost = map[string]bool{}
	for _, m := range missing {
		name := filepath.Base(m.Part)
		if slices.ContainsFunc(partContents, func(c contents) bool { return c.part == name }) {
			emptyOrLost[name] = true
		} else if !beginAnew {
			return nil, m
		}
	}
	if beginAnew && len(missing) == 0 {
		return nil, fmt.Errorf("--begin-anew: nothing is gone from %s; start without it", inst.Dir)
	}
	return emptyOrLost, nil
}

// withAdvice adds to the error of a store how to repair it.
func withAdvice(inst *instance.Instance, err error) error {
	var damage *engine.Damage
	var key *disk.KeyLost
	switch {
	case errors.As(err, &damage):
		return fmt.Errorf("%w. Nothing was changed. fargo repair --data-dir %s keeps a copy, takes out all that can be read, and says what cannot", err, inst.Dir)
	case errors.As(err, &key):
		return fmt.Errorf("%w. Nothing was changed. Put the key back, or say with --key-file or "+keyVariable+" where it is, or give the records up: fargo repair --data-dir %s", err, inst.Dir)
	}
	return err
}

package main

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"fargo/engine"
	"fargo/instance"
	"fargo/logs"
	"fargo/metrics"
	"fargo/process"
	"fargo/store/disk"
)

// repairCommand replaces what is damaged in a data directory, with all that can still
// be read.
type repairCommand struct {
	dataDir
	keyFlag
}

// Run repairs the control plane's state, the logs and the metrics. It prints, for programs to
// read, what is kept and, one in a line, what is lost.
func (c *repairCommand) Run(std *stdio, log *slog.Logger) error {
	inst, err := instance.Find(c.DataDir)
	if err != nil {
		return err
	}
	held, err := process.Acquire(inst.UpLock(), "repair")
	if err != nil {
		return fmt.Errorf("%s: %w; fargo down or Ctrl-C ends it", inst.Dir, err)
	}
	defer held.Close()
	key, err := c.key(inst, log)
	if err != nil {
		return err
	}
	now := time.Now()
	report, err := disk.Repair(inst.StoreDir(), key, log, now)
	if err != nil {
		return err
	}
	if err := printReport(std.out, "store", report); err != nil {
		return err
	}
	if report, err = logs.Repair(inst.LogsDir(), log, now); err != nil {
		return err
	}
	if err := printReport(std.out, "logs", report); err != nil {
		return err
	}
	if report, err = metrics.Repair(inst.MetricsDir(), log, now); err != nil {
		return err
	}
	return printReport(std.out, "metrics", report)
}

func printReport(w io.Writer, part string, r *engine.Report) error {
	if r.Whole() {
		_, err := fmt.Fprintf(w, "%s: nothing is damaged; %d entries\n", part, r.Kept)
		return err
	}
	if _, err := fmt.Fprintf(w, "%s: repaired; %d entries kept; as it was before, it is in %s\n", part, r.Kept, r.Backup); err != nil {
		return err
	}
	if r.Damage != nil {
		if _, err := fmt.Fprintf(w, "%s: damage: %v\n", part, r.Damage); err != nil {
			return err
		}
	}
	for _, l := range r.Losses {
		if _, err := fmt.Fprintf(w, "%s: lost: %v\n", part, l); err != nil {
			return err
		}
	}
	for _, key := range r.Dropped {
		if _, err := fmt.Fprintf(w, "%s: given up, for want of its key: %s\n", part, key); err != nil {
			return err
		}
	}
	if len(r.Losses)+len(r.Dropped) == 0 {
		_, err := fmt.Fprintf(w, "%s: nothing is lost\n", part)
		return err
	}
	return nil
}

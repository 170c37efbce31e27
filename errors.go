package fargo

import "github.com/containerd/errdefs"

// ErrNotWritable is the error of a write that failed for a reason that is not the
// caller's: the disk is full, or has failed. Nothing was written, and reads still
// work. The reason has been logged once where it was found, so callers only return
// the error. It satisfies errdefs.IsUnavailable: a caller may retry.
var ErrNotWritable = errdefs.ErrUnavailable.WithMessage("cannot be written to now")

package fargo

import "github.com/containerd/errdefs"

// ErrNotWritable holds for the error of a write that could not be made for a
// reason that is no caller's doing: the disk is full, or its driver has failed.
// Nothing was written; reads go on. The reason has been logged, once, by whoever
// found it, so who gets this error only hands it on. errdefs.IsUnavailable holds
// for it: what is not urgent is to be tried again.
var ErrNotWritable = errdefs.ErrUnavailable.WithMessage("cannot be written to now")

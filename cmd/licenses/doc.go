// Command licenses writes docs/licenses.md and docs/licenses.txt: the licences of
// all that others wrote and that is inside the fargo binary, with their texts. It
// asks the go command which modules each program inside is built from, and reads
// the licence files that came with them. It knows nothing of what the programs do.
//
// It fails when a module has no licence file, or one that it does not recognise:
// somebody has to read that one.
package main

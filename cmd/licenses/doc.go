// Command licenses writes docs/licenses.md and docs/licenses.txt: the licences of
// all third-party code inside the fargo binary, with their texts. It lists the modules
// of each program inside with the go command, and reads the licence files of the
// modules.
//
// It fails when a module has no licence file, or one that it does not recognise, which
// a person has to read.
package main

// Package header makes the header fields that a target gets of a request, and
// that a client gets of an answer, from those that came and the listener's
// settings. It is pure, and refuses to know the fields that frame a body.
package header

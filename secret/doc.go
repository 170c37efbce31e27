// Package secret has the types of values that must not be seen: passwords, private
// keys, tokens. It knows how to keep a value out of logs, dumps and files, and
// refuses to know what a value is for, where it comes from and how it travels.
package secret

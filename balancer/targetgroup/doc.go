// Package targetgroup chooses targets: by turns, by load, by chance, by cookie or
// by a hash of a flow, among those of a group that are healthy and do not drain. It
// refuses to know how requests come in, and how health is found out.
package targetgroup

module github.com/seccomp/libseccomp-golang

go 1.26.8

require golang.org/x/net v0.58.0

require golang.org/x/sys v0.48.0 // indirect

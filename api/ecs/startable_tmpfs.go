package ecs

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"fargo/aws"
	"fargo/aws/ecs"
)

// tmpfsOptions are the mount options that a tmpfs may have, besides those with a
// value. Source: ECS API, Tmpfs. Not among them are bind, rbind and remount, which
// the API names too: they mount nothing new.
var tmpfsOptions = strings.Fields(`defaults ro rw suid nosuid dev nodev exec noexec sync async dirsync mand nomand
	atime noatime diratime nodiratime unbindable runbindable private rprivate shared rshared slave rslave
	relatime norelatime strictatime nostrictatime`)

// tmpfsValue is the form of the options with a value. Source: ECS API, Tmpfs;
// tmpfs(5).
var tmpfsValue = regexp.MustCompile(`^(mode=[0-7]{1,4}|(uid|gid)=[0-9]+|nr_(inodes|blocks)=[0-9]+[kKmMgG]?|mpol=[a-z0-9=:-]+)$`)

// ofTmpfs: a directory in memory is where nothing else is mounted, and what it is
// asked to be. It may be in the place of one that every container has (/dev/shm).
func ofTmpfs(c *ecs.ContainerDefinition) string {
	if c.LinuxParameters == nil {
		return ""
	}
	mounted := map[string]bool{}
	for _, m := range c.MountPoints {
		mounted[path.Clean(aws.Value(m.ContainerPath))] = true
	}
	for _, t := range c.LinuxParameters.Tmpfs {
		at := aws.Value(t.ContainerPath)
		if why := ofPlace(c, at); why != "" {
			return why
		}
		clean := path.Clean(at)
		if mounted[clean] {
			return of(c, "more than one thing is mounted at containerPath %q.", at)
		}
		mounted[clean] = true
		if aws.Value(t.Size) < 1 {
			return of(c, "the size of a tmpfs must be at least 1 MiB.")
		}
		for _, o := range t.MountOptions {
			if !slices.Contains(tmpfsOptions, o) && !tmpfsValue.MatchString(o) {
				return of(c, "a tmpfs cannot be mounted with the option %q.", o)
			}
		}
	}
	return ""
}

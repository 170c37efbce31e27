package main

import (
	"fargo"
	"fargo/desired"
	"fargo/kernel"
	"fargo/node"
)

// hello is what this machine's node says of itself. It has no zone: a machine
// alone is as near to all of them. It has no network with others either.
func (m *machine) hello() (desired.Hello, error) {
	id, err := node.Identity(m.inst.NodeDir(), func() string { return fargo.NewHex(32) })
	if err != nil {
		return desired.Hello{}, err
	}
	boot, err := kernel.BootID()
	if err != nil {
		return desired.Hello{}, err
	}
	cpu, memory, err := kernel.Capacity()
	if err != nil {
		return desired.Hello{}, err
	}
	build, err := buildID()
	if err != nil {
		return desired.Hello{}, err
	}
	return desired.Hello{
		ID: id, Former: m.inst.ID, Machine: boot + "/" + m.inst.ID,
		Address: kernel.MachineAddress(), CPU: cpu, Memory: memory, Build: build,
	}, nil
}

package plan

import "testing"

func TestFargateSizes(t *testing.T) {
	for _, c := range []struct {
		cpu, memory string
		ok          bool
	}{
		{"256", "512", true},
		{".25 vCPU", "0.5 GB", true},
		{"256", "3072", false},
		{"512", "1024", true},
		{"512", "512", false},
		{"1 vcpu", "8 gb", true},
		{"1024", "9216", false},
		{"8192", "20480", true},
		{"8192", "17408", false},
		{"16384", "122880", true},
		{"300", "512", false},
	} {
		cpu, ok1 := ParseCPU(c.cpu)
		memory, ok2 := ParseMemory(c.memory)
		if !ok1 || !ok2 {
			t.Fatalf("%q %q: not read", c.cpu, c.memory)
		}
		if got := FargateSize(cpu, memory); got != c.ok {
			t.Errorf("FargateSize(%s, %s) = %v, want %v", c.cpu, c.memory, got, c.ok)
		}
	}
	for _, bad := range []string{"", "x", "-1", "1 cpu", "0", "1.5"} {
		if n, ok := ParseCPU(bad); ok {
			t.Errorf("ParseCPU(%q) = %d", bad, n)
		}
	}
}

// The smallest task may have a thousand processes, and of every size as many for
// each vCPU.
func TestPIDsGrowWithCPU(t *testing.T) {
	for cpu, want := range map[int64]int64{0: 0, 256: 1024, 1024: 4096, 16384: 65536} {
		if got := PIDs(cpu); got != want {
			t.Errorf("%d units: %d, want %d", cpu, got, want)
		}
	}
}

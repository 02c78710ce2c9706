package workflows_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/workflows"
)

func TestDebug(t *testing.T) {
	scenario := os.Getenv("SCENARIO")
	if scenario == "" {
		t.Skip()
	}
	b := newBench(t, benchOptions{scenario: scenario})
	n := 0
	b.sim.SetInterceptor(func(c awssim.CallInfo) awssim.Fault {
		fmt.Println(c.Time.Format("15:04:05"), c.Account, c.Service, c.Operation, c.Resource)
		if n++; n > 3000 {
			os.Exit(3)
		}
		return awssim.Fault{}
	})
	result, err := b.run(workflows.WaveRequest{Plan: "web"})
	fmt.Printf("%+v %v\n", result, err)
}

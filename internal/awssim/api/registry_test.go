package api

import (
	"testing"

	"github.com/stretchr/testify/require"
)

type pingInput struct {
	Name  *string
	Count *int32
	Odd   []string
}

type pingOutput struct{ Said string }

func pingRegistry() *Registry {
	r := NewRegistry()
	Handle(r, "ssm", "Ping", []string{"Name"}, func(_ Call, in *pingInput) (*pingOutput, error) {
		if in.Name == nil {
			return nil, Errorf("ValidationException", "Name is required")
		}
		return &pingOutput{Said: *in.Name}, nil
	})
	return r
}

func TestCallRefusesWhatIsNotModelled(t *testing.T) {
	name, count := "a", int32(1)
	for _, tc := range []struct {
		name  string
		input pingInput
		want  string
	}{
		{"modelled field", pingInput{Name: &name}, ""},
		{"handler's own error", pingInput{}, "ValidationException: Name is required"},
		{
			"unmodelled fields are all named",
			pingInput{Name: &name, Count: &count, Odd: []string{"x"}},
			"NotModelled: the simulated AWS does not model parameter Count, Odd of ssm:Ping",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			operation, err := pingRegistry().Lookup("ssm", "Ping")
			require.NoError(t, err)
			out, err := operation.Call(Call{}, &tc.input)
			if tc.want != "" {
				require.EqualError(t, err, tc.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, &pingOutput{Said: "a"}, out)
		})
	}
}

func TestLookupNamesUnknownOperation(t *testing.T) {
	_, err := pingRegistry().Lookup("ssm", "Pong")
	require.EqualError(t, err, "NotModelled: the simulated AWS does not model operation ssm:Pong")
	require.Equal(t, []string{"ssm:Ping"}, pingRegistry().Operations())
}

func TestHandlePanicsOnMistakes(t *testing.T) {
	r := pingRegistry()
	nop := func(Call, *pingInput) (*pingOutput, error) { return nil, nil }
	require.Panics(t, func() { Handle(r, "ssm", "Ping", nil, nop) })
	require.Panics(t, func() { Handle(r, "ssm", "Other", []string{"Nmae"}, nop) })
}

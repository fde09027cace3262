"""How good, how varied and how obedient a generator is: pure functions on tensors."""

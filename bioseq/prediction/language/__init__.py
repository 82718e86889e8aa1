"""What a language model says of sequences: the questions, and the job of asking."""

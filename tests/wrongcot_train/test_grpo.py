"""TRL's GRPO trains on rows of a published data set with one of our graders as its reward."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.real


def test_grpo_takes_a_grader_as_its_reward(tmp_path, make_tiny_model):
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    from wrongcot_data.rewards import reward

    seen = []
    judge = reward("gsm8k", {"correct": 1.0, "wrong": 0.1})

    def watched(completions, **columns):
        rewards = judge(completions=completions, **columns)
        seen.extend(zip(completions, rewards, strict=True))
        return rewards

    rows = Dataset.from_list(
        [
            {
                "prompt": [{"role": "user", "content": f"How many is {n} + 1? The final answer is"}],
                "question": f"How many is {n} + 1?",
                "reference_answer": str(n + 1),
                "problem_id": None,
            }
            for n in range(4)
        ]
    )
    config = GRPOConfig(
        output_dir=str(tmp_path / "out"),
        max_steps=2,
        per_device_train_batch_size=4,
        num_generations=4,
        max_completion_length=8,
        learning_rate=1e-3,
        use_cpu=True,
        bf16=False,
        report_to=[],
        logging_steps=1,
    )
    trainer = GRPOTrainer(
        model=str(make_tiny_model(tmp_path / "model")), reward_funcs=[watched], args=config, train_dataset=rows
    )
    trainer.train()
    assert len(seen) == 8
    assert {worth for _, worth in seen} <= {0.0, 0.1, 1.0}
    assert any(key.startswith("rewards/") for entry in trainer.state.log_history for key in entry)

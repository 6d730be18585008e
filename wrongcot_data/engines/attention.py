"""Attention on a CPU for models whose queries share keys.

The library's own copies every key for every query first: half the time of writing a token after a long prompt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

NAME = "wrongcot_grouped"


def implementation_for(config: Any, device: str) -> str | None:
    """The name to load a model with; None for the library's own choice.

    Ours where queries share keys on a CPU, unless the model caps its attention scores (Gemma 2): it does not do that.
    """
    shares = getattr(config, "num_key_value_heads", 0) not in (0, getattr(config, "num_attention_heads", 0))
    if device != "cpu" or not shares or getattr(config, "attn_logit_softcapping", None):
        return None
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register(NAME, _grouped)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    return NAME


def _grouped(
    _module: object,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **_: object,
) -> tuple[torch.Tensor, None]:
    from torch.nn.functional import scaled_dot_product_attention

    causal = attention_mask is None and query.shape[2] > 1
    output = scaled_dot_product_attention(
        query, key, value, attn_mask=attention_mask, scale=scaling, is_causal=causal, enable_gqa=True
    )
    return output.transpose(1, 2).contiguous(), None

"""Teachers by vLLM in this process: continuous batching, on GPUs or on the CPU.

vLLM's core runs in a process of its own, so grading never holds up a step; each request is a coroutine here, so the
core's queue stays full and there are no batches to wait for.
"""

from __future__ import annotations

import dataclasses
import logging
import multiprocessing
import os
import tempfile
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, model_validator

from wrongcot_data.engines.asynchronous import AsyncEngine
from wrongcot_data.engines.base import Completion, Engine, NotHonoured, Opening, Request
from wrongcot_data.engines.tokens import need_template, token_ids, too_long
from wrongcot_data.engines.vllm_processes import (
    QUIET,
    children_apart,
    end_children,
    environment,
    first_line,
    kv_cache_bytes,
    root_cause,
)
from wrongcot_data.errors import BadInput, Unavailable, WrongcotError, missing_extra, nearest, unknown
from wrongcot_data.records import Prompt
from wrongcot_data.teachers.registry import Teacher
from wrongcot_data.teachers.weights import find_weights

OURS = ("model", "tokenizer", "revision", "tokenizer_revision")
"""Arguments of vLLM that say which model it is: the teacher's business, never an option's."""

HARMLESS = frozenset({
    # placement: which devices, processes and nodes
    "distributed_executor_backend", "device_ids", "nnodes", "node_rank", "master_addr", "master_port",
    "distributed_timeout_seconds", "cpu_distributed_timeout_seconds", "numa_bind", "numa_bind_nodes", "numa_bind_cpus",
    "prefill_context_parallel_size", "decode_context_parallel_size", "dcp_comm_backend", "dcp_q_replicate",
    "dcp_kv_cache_interleave_size", "cp_kv_cache_interleave_size", "data_parallel_size_local", "data_parallel_address",
    "data_parallel_rpc_port", "data_parallel_backend", "enable_expert_parallel", "enable_ep_weight_filter",
    "enable_eplb", "eplb_config", "expert_placement_strategy", "disable_custom_all_reduce",
    "disable_nccl_for_dp_synchronization", "max_parallel_loading_workers", "ray_workers_use_nsight",
    # memory: the cache, what is offloaded, what of a model that also sees images is not needed
    "block_size", "kv_cache_memory_bytes", "num_gpu_blocks_override", "kv_offloading_size", "kv_offloading_backend",
    "offload_backend", "cpu_offload_gb", "cpu_offload_params", "offload_group_size", "offload_num_in_group",
    "offload_prefetch_step", "offload_params", "disable_hybrid_kv_cache_manager", "enable_cumem_allocator",
    "language_model_only", "limit_mm_per_prompt", "skip_mm_profiling", "mm_processor_cache_gb",
    "enable_prefix_caching", "prefix_caching_hash_algo", "prefix_cache_retention_interval",
    # batching and scheduling
    "max_num_batched_tokens", "max_num_scheduled_tokens", "max_num_active_seqs", "enable_chunked_prefill",
    "long_prefill_token_threshold", "long_prefill_token_threshold_adaptive", "scheduler_reserve_full_isl",
    "prefill_schedule_interval", "watermark", "scheduling_policy", "async_scheduling", "stream_interval", "enable_dbo",
    "ubatch_size", "dbo_decode_token_threshold", "dbo_prefill_token_threshold", "dp_sync_interval",
    # compiling, kernels, loading
    "compilation_config", "cudagraph_capture_sizes", "max_cudagraph_capture_size", "optimization_level",
    "performance_mode", "attention_backend", "enable_flashinfer_autotune", "safetensors_load_strategy",
    "safetensors_prefetch_num_threads", "safetensors_prefetch_block_size",
    "use_tqdm_on_load", "disable_log_stats", "shutdown_timeout",
})  # fmt: skip
"""Arguments of vLLM that change speed, memory and placement only. A list of those that do not would never be complete:
`load_format="dummy"` writes with random weights, and neither rows nor the journal's keys would tell."""

WORKER_EXTENSION = "wrongcot_data.engines.vllm_worker.EndsWithParent"

PROMPTS_KEPT = 4096
"""Prompts whose token ids are kept for their next attempts."""


class VllmOptions(BaseModel, extra="forbid"):
    """Settings that change speed and room, not the reply's distribution."""

    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="auto: the model's own on a GPU (bfloat16 for float32 weights), float32 on a CPU, where "
        "bfloat16 was four times slower"
    )  # fmt: skip
    tensor_parallel_size: int = Field(1, ge=1, description="GPUs that share one model; 1 for what fits on one GPU")
    pipeline_parallel_size: int = Field(1, ge=1, description="stages of layers on different GPUs; 1: all in one stage")
    data_parallel_size: int = Field(1, ge=1, description="copies of the model, each with GPUs of its own")
    gpu_memory_utilization: float | None = Field(
        None, gt=0, le=1, description="share of the GPU's memory to take; none: vLLM's default on a GPU, on a CPU half "
        "of the memory that is free beside the weights, at most 4 GiB"
    )  # fmt: skip
    max_model_len: int | None = Field(
        None, ge=1, description="tokens of prompt and reply together; none: the model's own, on a CPU cut to what the "
        "cache holds"
    )  # fmt: skip
    max_num_seqs: int | None = Field(
        None, ge=1, description="replies written at the same time; none: vLLM's default for this device"
    )
    enforce_eager: bool | None = Field(
        None, description="run without torch.compile; none: true on a CPU, where compiling takes two minutes and gains "
        "a tenth"
    )  # fmt: skip
    capacity: int | None = Field(
        None, ge=1, description="requests held at once; none: twice what is written at the same time, so that one "
        "always waits when a place falls free"
    )  # fmt: skip
    extra: dict[str, Any] = Field(
        default_factory=dict, description="other arguments of vLLM's AsyncEngineArgs, passed on as they are, of those "
        "that change speed, memory and placement only"
    )  # fmt: skip

    @model_validator(mode="after")
    def _extra_changes_no_reply(self) -> VllmOptions:
        for name in self.extra:
            if name not in HARMLESS:
                raise _refused(name)  # BadInput, which pydantic lets through
        return self


class _Kind:
    options = VllmOptions

    def revision(self, teacher: Teacher, options: BaseModel) -> str:
        return find_weights(teacher).revision

    def open(self, opening: Opening) -> Engine:
        return VllmEngine(opening)


KIND = _Kind()


class VllmEngine(AsyncEngine):
    """One vLLM engine; its core and workers are child processes that end with it.

    Every request carries its own seed. Sums in a batch are not bit-equal in other company, so the same seed gives the
    same draw, and nearly always the same reply.
    """

    not_honoured: tuple[NotHonoured, ...] = ()

    def __init__(self, opening: Opening) -> None:
        options = opening.options
        assert isinstance(options, VllmOptions)
        for name, value in QUIET.items():
            os.environ.setdefault(name, value)
        try:
            import vllm
            from transformers import AutoTokenizer
        except ImportError as error:
            raise missing_extra(error.name or "vllm", "vllm") from error
        self._sampling = opening.sampling
        folder = find_weights(opening.teacher).folder
        arguments = engine_arguments(options, folder)
        logging.getLogger(__name__).warning("loading %s by vllm", opening.teacher.name)
        loader: Any = AutoTokenizer
        try:
            self._tokenizer: Any = loader.from_pretrained(folder)
        except (OSError, ValueError) as error:
            raise _cannot_start(folder, first_line(error)) from error
        self._ids = lru_cache(PROMPTS_KEPT)(partial(_prompt_ids, self._tokenizer))
        super().__init__()
        self._llm: Any = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as the processes that write to it
        self._children: set[Any] = set()
        try:
            config = self._launch(folder, arguments)
        except BaseException:
            self.close()
            raise
        self._room = int(config.model_config.max_model_len)
        self.capacity = options.capacity or 2 * config.scheduler_config.max_num_seqs * options.data_parallel_size
        dtype = str(config.model_config.dtype).removeprefix("torch.")
        self.name = f"vllm {vllm.__version__} {dtype} {config.device_config.device_type}"

    def submit(self, request: Request) -> None:
        need_template(self._tokenizer, request.prompt)
        super().submit(request)

    def close(self) -> None:
        super().close()
        end_children(self._children)  # what vLLM did not end by itself, such as a core that was still loading
        self._log.close()

    def _launch(self, folder: Path, arguments: dict[str, Any]) -> Any:
        """Start vLLM; its settings as they came out. A minute or two for a large model, half a minute for a small one.

        Raises:
            BadInput: vLLM cannot run this model, or not with these settings.
        """
        from vllm.engine.arg_utils import AsyncEngineArgs
        from vllm.usage.usage_lib import UsageContext
        from vllm.v1.engine.async_llm import AsyncLLM

        async def start(config: Any) -> Any:  # on the loop: vLLM takes the loop it is made on for its own
            with children_apart(self._log):
                return AsyncLLM.from_vllm_config(config, disable_log_stats=True)

        before = set(multiprocessing.active_children())
        with environment(workers(arguments)):
            try:
                # LLM_CLASS: the limits that vLLM takes for work where throughput counts and no one waits
                config = AsyncEngineArgs(**arguments).create_engine_config(UsageContext.LLM_CLASS)
                self._need_room(config)
                self._llm = self._run(start(config))
                self._need_room(config)  # less, where the cache holds less
            except WrongcotError:
                raise
            except Exception as error:  # vLLM has no one class for what it cannot run
                raise _cannot_start(folder, root_cause(error, self._log)) from error
            finally:
                self._children = set(multiprocessing.active_children()) - before
        return self._llm.vllm_config

    def _need_room(self, config: Any) -> None:
        room, most = config.model_config.max_model_len, self._sampling.max_tokens
        if most >= room:
            raise BadInput(
                f"max_tokens {most} leaves no room: the model holds {room} tokens here",
                try_=["--max-tokens    (lower)"],
            )

    async def _reply(self, request: Request) -> Completion:
        from vllm.exceptions import VLLMValidationError
        from vllm.inputs.engine import tokens_input
        from vllm.v1.engine.exceptions import EngineDeadError, EngineGenerateError

        ids = self._ids(request.prompt)
        if story := too_long(len(ids), self._sampling.max_tokens, self._room):
            return Completion(request.key, "", "error", len(ids), 0, story)
        try:
            outputs = self._llm.generate(tokens_input(list(ids)), self._draw(request), request.key)
            (output,) = [output async for output in outputs]  # one, the whole reply: FINAL_ONLY
        except EngineDeadError as error:
            cause = root_cause(error, self._log)
            raise Unavailable(f"vLLM's process ended: {cause}", try_=["the same command goes on from here"]) from error
        except (VLLMValidationError, EngineGenerateError, ValueError) as error:
            return Completion(request.key, "", "error", len(ids), 0, f"vLLM: {first_line(error)}")
        return self._completion(request, output)

    def _draw(self, request: Request) -> Any:
        """A request's sampling, every setting that decides a reply said here, none left to the model's own defaults."""
        from vllm.sampling_params import RequestOutputKind, SamplingParams

        return SamplingParams(
            temperature=self._sampling.temperature,
            top_p=self._sampling.top_p,
            top_k=0,
            min_p=0.0,
            max_tokens=self._sampling.max_tokens,
            seed=request.seed,
            stop=list(request.prompt.stop) or None,
            include_stop_str_in_output=True,
            output_kind=RequestOutputKind.FINAL_ONLY,
        )

    def _completion(self, request: Request, output: Any) -> Completion:
        reply = output.outputs[0]
        n_prompt, n_tokens = len(output.prompt_token_ids), len(reply.token_ids)
        if reply.finish_reason not in ("stop", "length"):
            story = f"vLLM ended the reply with {reply.finish_reason!r}"
            return Completion(request.key, "", "error", n_prompt, n_tokens, story)
        text = reply.text
        ended_by_token = reply.finish_reason == "stop" and not isinstance(reply.stop_reason, str)
        if ended_by_token and reply.token_ids[-1] not in self._tokenizer.all_special_ids:
            text = text.removesuffix(self._tokenizer.decode(reply.token_ids[-1:]))  # an ordinary token that ends a turn
        return Completion(request.key, text, reply.finish_reason, n_prompt, n_tokens)

    async def _shut_down(self) -> None:
        if self._llm is not None:
            self._llm.shutdown()
            self._llm = None  # its destructor does the same again and fails at the interpreter's end


def engine_arguments(options: VllmOptions, folder: Path) -> dict[str, Any]:
    """The arguments of vLLM's AsyncEngineArgs for these options; what `extra` says wins.

    Raises:
        BadInput: `extra` has an argument that this vLLM does not know.
        Unavailable: there is too little memory for the model.
    """
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.platforms import current_platform

    known = {field.name for field in dataclasses.fields(AsyncEngineArgs)}
    for name in options.extra:
        if name not in known:
            raise unknown("argument of this vLLM", name, known & HARMLESS)
    arguments: dict[str, Any] = {
        "model": str(folder),
        "enable_prefix_caching": True,
        "use_tqdm_on_load": False,
        "disable_log_stats": True,
        **options.model_dump(exclude={"extra", "capacity"}, exclude_none=True),
    }
    if current_platform.is_cpu():
        arguments.setdefault("enforce_eager", True)
        arguments.setdefault("max_model_len", -1)  # as long as the cache can hold
        arguments["enable_chunked_prefill"] = False  # a seeded request read in parts ends vLLM 0.32 on a CPU
        if options.dtype == "auto":
            arguments["dtype"] = "float32"
        if not {"gpu_memory_utilization", "kv_cache_memory_bytes"} & {*arguments, *options.extra}:
            arguments["kv_cache_memory_bytes"] = kv_cache_bytes(folder, options.data_parallel_size)
        if workers(arguments | options.extra) == 1:
            arguments["distributed_executor_backend"] = "uni"
    if options.extra.get("distributed_executor_backend") != "ray":
        arguments["worker_extension_cls"] = WORKER_EXTENSION
    return arguments | options.extra


def _refused(name: str) -> BadInput:
    """Why an argument is not taken in `extra`."""
    if name in OURS:
        return BadInput(f"{name!r} is what the teacher decides", try_=["--teacher NAME or PATH"])
    if name in VllmOptions.model_fields:
        return BadInput(f"{name!r} is an option beside `extra`", try_=[f"--engine-option {name}=VALUE"])
    near = nearest(name, HARMLESS)
    hint = f"; did you mean {near}?" if near else ""
    return BadInput(
        f"extra: {name!r} is not among vLLM's arguments for speed, memory and placement; another could change the"
        f" replies, and no row would tell{hint}",
        try_=["docs/engines.md    (what `extra` takes)"],
    )


def workers(arguments: dict[str, Any]) -> int:
    """How many worker processes a core has."""
    return int(arguments["tensor_parallel_size"]) * int(arguments["pipeline_parallel_size"])


def _prompt_ids(tokenizer: Any, prompt: Prompt) -> tuple[int, ...]:
    return tuple(token_ids(tokenizer, prompt))


def _cannot_start(folder: Path, cause: str) -> BadInput:
    hints = ["--teacher NAME    (another one)", "--engine transformers"]
    if "memory" in cause.lower():
        hints.insert(0, "--engine-option gpu_memory_utilization=0.3    (or another share, or a smaller max_model_len)")
    return BadInput(f"vLLM cannot run the model in {folder}: {cause}", try_=hints)

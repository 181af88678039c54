//! The table of functions that `ort` calls: those that this backend has; the rest answer "not implemented".

use ort_sys::{OrtApi, stub};

use crate::{binding, entry, info, memory, metadata, options, status, value};

/// The interface of ONNX Runtime 1.24, served by RTen. Give it to `ort::set_api`, or call `install`.
pub fn api() -> OrtApi {
    OrtApi {
        CreateStatus: status::create_status,
        GetErrorCode: status::error_code,
        GetErrorMessage: status::error_message,
        ReleaseStatus: status::release_status,
        CreateEnv: entry::create_env,
        CreateEnvWithCustomLogger: entry::create_env_with_logger,
        CreateEnvWithGlobalThreadPools: entry::no_env_with_pools,
        CreateEnvWithCustomLoggerAndGlobalThreadPools: entry::no_env_with_logger_and_pools,
        EnableTelemetryEvents: entry::telemetry,
        DisableTelemetryEvents: entry::telemetry,
        UpdateEnvWithCustomLogLevel: entry::log_level,
        ReleaseEnv: entry::release_env,
        CreateThreadingOptions: entry::create_threading,
        ReleaseThreadingOptions: entry::release_threading,
        SetGlobalIntraOpNumThreads: entry::no_threading_number,
        SetGlobalInterOpNumThreads: entry::no_threading_number,
        SetGlobalSpinControl: entry::no_threading_number,
        GetAvailableProviders: entry::providers,
        ReleaseAvailableProviders: entry::release_providers,
        GetBuildInfoString: entry::build_info,
        ..with_sessions()
    }
}

fn with_sessions() -> OrtApi {
    OrtApi {
        CreateSession: entry::create_session,
        CreateSessionFromArray: entry::create_session_from_array,
        CreatePrepackedWeightsContainer: entry::create_container,
        ReleasePrepackedWeightsContainer: entry::release_container,
        CreateSessionWithPrepackedWeightsContainer: entry::create_session_with_container,
        CreateSessionFromArrayWithPrepackedWeightsContainer: entry::create_session_from_array_with_container,
        ReleaseSession: entry::release_session,
        SessionGetInputCount: entry::input_count,
        SessionGetInputName: entry::input_name,
        SessionGetInputTypeInfo: entry::input_type,
        SessionGetOutputCount: entry::output_count,
        SessionGetOutputName: entry::output_name,
        SessionGetOutputTypeInfo: entry::output_type,
        SessionGetOverridableInitializerCount: entry::overridable_count,
        SessionGetModelMetadata: metadata::create,
        ReleaseModelMetadata: metadata::release_metadata,
        ModelMetadataGetProducerName: metadata::producer,
        ModelMetadataGetGraphName: metadata::graph,
        ModelMetadataGetDomain: metadata::domain,
        ModelMetadataGetDescription: metadata::description,
        ModelMetadataGetGraphDescription: metadata::graph_description,
        ModelMetadataGetVersion: metadata::version,
        ModelMetadataLookupCustomMetadataMap: metadata::lookup,
        ModelMetadataGetCustomMetadataMapKeys: metadata::keys,
        Run: entry::run,
        RunAsync: entry::run_async,
        CreateIoBinding: binding::create,
        ReleaseIoBinding: binding::release_binding,
        BindInput: binding::bind_input,
        BindOutput: binding::bind_output,
        BindOutputToDevice: binding::bind_output_to_device,
        ClearBoundInputs: binding::clear_inputs,
        ClearBoundOutputs: binding::clear_outputs,
        SynchronizeBoundInputs: binding::synchronize,
        SynchronizeBoundOutputs: binding::synchronize,
        RunWithBinding: binding::run_with_binding,
        GetBoundOutputValues: binding::bound_values,
        ..with_options()
    }
}

fn with_options() -> OrtApi {
    OrtApi {
        CreateSessionOptions: options::create_session_options,
        CloneSessionOptions: options::clone_session_options,
        ReleaseSessionOptions: options::release_session_options,
        SetIntraOpNumThreads: options::set_intra_threads,
        SetInterOpNumThreads: options::take_number,
        SetSessionGraphOptimizationLevel: options::set_optimization,
        SetSessionExecutionMode: options::take_mode,
        SetSessionLogId: options::take_text,
        SetSessionLogVerbosityLevel: options::take_number,
        SetSessionLogSeverityLevel: options::take_number,
        SetDeterministicCompute: options::take_flag,
        SetUserLoggingFunction: options::take_logger,
        SessionOptionsSetLoadCancellationFlag: options::set_load_cancellation,
        SessionOptionsSetEpSelectionPolicy: options::take_policy,
        AddSessionConfigEntry: options::add_session_entry,
        EnableMemPattern: options::take_options,
        DisableMemPattern: options::take_options,
        EnableCpuMemArena: options::take_options,
        DisableCpuMemArena: options::take_options,
        DisablePerSessionThreads: options::take_options,
        DisableProfiling: options::take_options,
        EnableProfiling: options::no_profile,
        SetOptimizedModelFilePath: options::no_optimised_file,
        EnableOrtCustomOps: options::no_custom_ops,
        CreateRunOptions: options::create_run_options,
        ReleaseRunOptions: options::release_run_options,
        RunOptionsSetTerminate: options::set_terminate,
        RunOptionsUnsetTerminate: options::unset_terminate,
        RunOptionsSetRunTag: options::set_run_tag,
        RunOptionsGetRunTag: options::run_tag,
        RunOptionsSetRunLogSeverityLevel: options::set_run_severity,
        RunOptionsGetRunLogSeverityLevel: options::run_severity,
        RunOptionsSetRunLogVerbosityLevel: options::set_run_verbosity,
        RunOptionsGetRunLogVerbosityLevel: options::run_verbosity,
        AddRunConfigEntry: options::add_run_entry,
        ..with_values()
    }
}

fn with_values() -> OrtApi {
    OrtApi {
        CreateTensorAsOrtValue: value::create_tensor,
        CreateTensorWithDataAsOrtValue: value::create_tensor_with_data,
        ReleaseValue: value::release_value,
        IsTensor: value::is_tensor,
        IsSparseTensor: value::is_sparse,
        HasValue: value::has_value,
        GetValueType: value::kind,
        GetTensorMutableData: value::data_mut,
        GetTensorData: value::data,
        GetTensorSizeInBytes: value::size_in_bytes,
        TensorAt: value::at,
        GetTypeInfo: value::type_info,
        GetTensorTypeAndShape: value::tensor_info,
        GetTensorMemoryInfo: value::memory_info,
        FillStringTensor: value::no_texts,
        GetStringTensorDataLength: value::no_text_length,
        CreateValue: value::no_composite,
        CreateTensorTypeAndShapeInfo: info::create_tensor_info,
        SetTensorElementType: info::set_element,
        SetDimensions: info::set_dims,
        SetSymbolicDimensions: info::set_symbols,
        GetTensorElementType: info::element,
        GetDimensionsCount: info::dims_count,
        GetDimensions: info::dims,
        GetSymbolicDimensions: info::symbols,
        GetTensorShapeElementCount: info::element_count,
        TensorTypeAndShape_HasShape: info::has_shape,
        ReleaseTensorTypeAndShapeInfo: info::release_tensor_info,
        ReleaseTypeInfo: info::release_type_info,
        GetOnnxTypeFromTypeInfo: info::kind,
        CastTypeInfoToTensorInfo: info::as_tensor,
        CastTypeInfoToMapTypeInfo: info::as_map,
        CastTypeInfoToSequenceTypeInfo: info::as_sequence,
        CastTypeInfoToOptionalTypeInfo: info::as_optional,
        ..with_memory()
    }
}

fn with_memory() -> OrtApi {
    OrtApi {
        GetAllocatorWithDefaultOptions: memory::default_allocator,
        CreateAllocator: memory::create_allocator,
        ReleaseAllocator: memory::release_allocator,
        AllocatorAlloc: memory::allocator_alloc,
        AllocatorFree: memory::allocator_free,
        AllocatorGetInfo: memory::allocator_info,
        CreateMemoryInfo: memory::create_memory_info,
        CreateCpuMemoryInfo: memory::create_cpu_memory_info,
        ReleaseMemoryInfo: memory::release_memory_info,
        CompareMemoryInfo: memory::compare_memory_info,
        MemoryInfoGetName: memory::memory_info_name,
        MemoryInfoGetId: memory::memory_info_id,
        MemoryInfoGetMemType: memory::memory_info_memory,
        MemoryInfoGetType: memory::memory_info_kind,
        MemoryInfoGetDeviceType: memory::memory_info_device,
        MemoryInfoGetDeviceMemType: memory::memory_info_access,
        ..stub::api()
    }
}
